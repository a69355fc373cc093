import { cliFeedBodyBytesMax, cliFeedHeadBytesMax } from '../../limits.ts';
import { Unreachable } from '../refusal.ts';
import { type ArrowMessage, flatBytes, messageHead, prefixBytes } from './arrow-message.ts';

/** Takes bytes by number from chunks that come as they come. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Null where the source ends before them, and nothing of them has come. Throws Unreachable where it ends among them. */
  async take(count: number): Promise<Uint8Array | null> {
    if (count <= this.#rest.byteLength) return this.#cut(count);
    // Nothing is set aside for bytes that are only promised.
    const parts: Uint8Array[] = [];
    for (let left = count; left > 0; left -= parts.at(-1)?.byteLength ?? 0) {
      if (this.#rest.byteLength === 0) {
        const step = await this.#chunks.next();
        if (step.done === true && parts.length === 0) return null;
        if (step.done === true) throw cutOff();
        this.#rest = step.value;
      }
      parts.push(this.#cut(Math.min(left, this.#rest.byteLength)));
    }
    return Buffer.concat(parts, count);
  }

  /** Leaves the source. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #cut(count: number): Uint8Array {
    const part = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return part;
  }
}

/**
 * The messages of an Arrow IPC stream, each when it is there as a whole; the stream's end is not among them. Ends where the stream does, which
 * says nothing about whether it was all. Whoever leaves early leaves the source. Throws Unreachable for what is no such stream, and what the chunks throw.
 */
export async function* arrowMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ArrowMessage, void, undefined> {
  const source = new ByteSource(chunks);
  try {
    for (let message = await nextMessage(source); message !== null; message = await nextMessage(source)) yield message;
  } finally {
    await source.close();
  }
}

/** Null at the stream's end. */
async function nextMessage(source: ByteSource): Promise<ArrowMessage | null> {
  const prefix = await source.take(prefixBytes);
  const bytes = prefix === null ? 0 : flatBytes(prefix, cliFeedHeadBytesMax);
  if (prefix === null || bytes === 0) return null;
  const flat = await source.take(bytes);
  if (flat === null) throw cutOff();
  const head = Buffer.concat([prefix, flat]);
  const { bodyBytes } = messageHead(head);
  if (bodyBytes > cliFeedBodyBytesMax) {
    throw new Unreachable(`A batch has ${bodyBytes} bytes, which is too much at once: ask for fewer rows with --batch-size.`);
  }
  const body = bodyBytes === 0 ? new Uint8Array() : await source.take(bodyBytes);
  if (body === null) throw cutOff();
  return { head, body };
}

function cutOff(): Unreachable {
  return new Unreachable('The feed ended in the middle of a batch.');
}
