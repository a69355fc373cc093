import { IcecoreError } from '../errors.ts';
import { arrowMessageBytesMax } from '../limits.ts';
import { checkMessage } from './message-check.ts';

export interface MessageStreamOptions {
  /** Of the whole stream. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

const continuation = 0xffffffff;

function damaged(what: string, cause?: unknown): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The body is no Arrow IPC stream: ${what}. Write it with an IPC stream writer.`, {
    cause,
  });
}

/**
 * Cuts a stream of bytes into Arrow IPC messages (format: "Encapsulated message format"), each given whole with its prefix, and
 * bounded before it is gathered. Throws BAD_USER_INPUT where the bytes are no such stream or end within a message, OVERLOADED
 * beyond the limits.
 */
export async function* ipcMessages(source: AsyncIterable<Uint8Array>, options: MessageStreamOptions): AsyncGenerator<Uint8Array> {
  const bytes = new ByteReader(source, options);
  try {
    yield* messagesOf(bytes);
  } finally {
    await bytes.end();
  }
}

async function* messagesOf(bytes: ByteReader): AsyncGenerator<Uint8Array> {
  for (let first = true; ; first = false) {
    const prefix = await bytes.take(8, first ? 'it is empty' : null);
    if (prefix === null) return;
    const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
    if (view.getUint32(0, true) !== continuation) throw damaged('a message does not begin as one');
    const metadataBytes = view.getInt32(4, true);
    if (metadataBytes === 0) return;
    if (metadataBytes < 0 || metadataBytes > arrowMessageBytesMax) throw damaged('a message has an impossible length');
    const metadata = await bytes.take(metadataBytes, 'it ends within a message');
    const bodyBytes = bodyLength(metadata ?? new Uint8Array());
    const body = await bytes.take(bodyBytes, 'it ends within a message');
    yield joined([prefix, metadata ?? new Uint8Array(), body ?? new Uint8Array()]);
  }
}

/** On memory that begins at a multiple of eight, as the numbers in it want; Buffer's own pool does not promise that. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function bodyLength(metadata: Uint8Array): number {
  try {
    return checkMessage(metadata);
  } catch (error) {
    throw error instanceof IcecoreError ? error : damaged('a message cannot be read', error);
  }
}

/** Takes exact numbers of bytes from chunks of any size. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #options: MessageStreamOptions;
  #rest: Uint8Array = new Uint8Array();
  #total = 0;

  constructor(source: AsyncIterable<Uint8Array>, options: MessageStreamOptions) {
    this.#chunks = source[Symbol.asyncIterator]();
    this.#options = options;
  }

  /** Null where the stream ends before the first byte and `problem` is null; else its end is an error. */
  async take(count: number, problem: string | null): Promise<Uint8Array | null> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (this.#rest.length === 0 && !(await this.#pull())) {
        if (problem === null && missing === count) return null;
        throw damaged(problem ?? 'it ends within a message');
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return joined(parts);
  }

  /** Tells the source that nothing more is wanted. */
  async end(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<boolean> {
    this.#options.signal?.throwIfAborted();
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#total += value.length;
    if (this.#total > this.#options.bytesMax) {
      throw new IcecoreError(
        'OVERLOADED',
        `The body is larger than the ${this.#options.bytesMax} bytes allowed. Send it in parts.`,
      );
    }
    this.#rest = value;
    return true;
  }
}
