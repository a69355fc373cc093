import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { RecordBatch } from 'apache-arrow';
import { IpcWriter } from '../arrow/ipc.ts';
import { arrowSmallBatchBytesMax, feedPieceBytes } from '../limits.ts';

/** The part of an event that the raw transport needs: a batch to be written. */
export interface ArrowEvent {
  readonly recordBatch: RecordBatch;
  /** Of the batch's own message. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly last: boolean;
}

/** The same of a batch that is bytes already. */
export interface EncodedEvent {
  readonly schemaMessage: Uint8Array;
  readonly endMessage: Uint8Array;
  readonly message: EncodedMessage;
  readonly last: boolean;
}

export interface EncodedMessage {
  readonly byteLength: number;
  /** What to write next, from an offset on; what was given before has been taken. */
  piece(from: number): Promise<Uint8Array>;
  /** All pieces have left the process. */
  sent(): void;
}

/**
 * All events as one Arrow IPC stream: the schema of the first, everyone's batch, and the end only behind a batch marked `last`. Pulled: the
 * next piece is asked for when the one before has been taken. Errors destroy it, as does a source that ends without the mark; when it
 * is destroyed, the source is returned. `isSent` says whether all that was taken has left the process.
 */
export function arrowBody(events: AsyncIterator<ArrowEvent | EncodedEvent>, isSent = () => false): Readable {
  const pieces = arrowPieces(events, isSent);
  return new Readable({
    // Nothing waits here: it would be beside what waits in the socket.
    highWaterMark: 0,
    // Node asks again only once something was pushed: one piece a call.
    read() {
      pieces
        .next()
        .then((step) => {
          if (!this.destroyed) this.push(step.done === true ? null : step.value);
        })
        .catch((error: unknown) => this.destroy(asError(error)));
    },
    destroy(error, done) {
      // Not of the pieces: they may wait for the source, which has to be told first.
      Promise.resolve(events.return?.()).then(
        () => done(error),
        (failure: unknown) => done(error ?? asError(failure)),
      );
    },
  });
}

async function* arrowPieces(
  events: AsyncIterator<ArrowEvent | EncodedEvent>,
  isSent: () => boolean,
): AsyncGenerator<Uint8Array, void> {
  let end: (() => Uint8Array) | null = null;
  let writer: IpcWriter | null = null;
  const small = new SmallMessages();
  for (;;) {
    const asked = events.next();
    // It is waited for behind the pieces before it.
    asked.catch(() => undefined);
    // What is small waits for more of it, and for nothing else.
    if (!small.isEmpty && (small.isEnough || !(await isReady(asked)))) {
      yield small.bytes;
      small.clear(isSent());
    }
    const step = await asked;
    if (step.done === true) break;
    const event = step.value;
    if ('message' in event) {
      const { message } = event;
      if (end === null) yield event.schemaMessage;
      const bytes = message.byteLength <= arrowSmallBatchBytesMax ? await message.piece(0) : null;
      if (bytes?.byteLength === message.byteLength) {
        if (!small.join(message, bytes)) {
          yield small.bytes;
          small.clear(isSent());
          small.join(message, bytes);
        }
      } else {
        if (!small.isEmpty) {
          yield small.bytes;
          small.clear(isSent());
        }
        yield* messagePieces(message);
        if (isSent()) message.sent();
      }
      end = event.last ? () => event.endMessage : notAtEnd;
    } else {
      const schema = writer === null;
      writer ??= new IpcWriter(event.recordBatch.schema);
      const its = writer;
      const head = schema ? [its.schema()] : [];
      yield Buffer.concat([...head, its.batch(event.recordBatch, event.metadata)]);
      end = event.last ? () => its.end() : notAtEnd;
    }
  }
  if (!small.isEmpty) yield small.bytes;
  yield (end ?? notAtEnd)();
}

/** Messages that lie one behind the other in memory, to be written at once. */
class SmallMessages {
  #messages: EncodedMessage[] = [];
  bytes: Uint8Array = new Uint8Array();

  get isEmpty(): boolean {
    return this.bytes.byteLength === 0;
  }

  get isEnough(): boolean {
    return this.bytes.byteLength >= feedPieceBytes;
  }

  /** Whether a message of these bytes could be added. */
  join(message: EncodedMessage, bytes: Uint8Array): boolean {
    const { buffer, byteOffset, byteLength } = this.bytes;
    if (!this.isEmpty && (bytes.buffer !== buffer || bytes.byteOffset !== byteOffset + byteLength)) return false;
    this.bytes = this.isEmpty ? bytes : new Uint8Array(buffer, byteOffset, byteLength + bytes.byteLength);
    this.#messages.push(message);
    return true;
  }

  clear(areSent: boolean): void {
    if (areSent) for (const message of this.#messages) message.sent();
    this.#messages = [];
    this.bytes = new Uint8Array();
  }
}

/** Whether a promise is settled before other work has its turn. */
async function isReady(promise: Promise<unknown>): Promise<boolean> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  return await Promise.race([settled, setImmediate(false)]);
}

async function* messagePieces(message: EncodedMessage): AsyncGenerator<Uint8Array, void> {
  for (let from = 0; from < message.byteLength; ) {
    const piece = await message.piece(from);
    from += piece.byteLength;
    yield piece;
    // A client that takes pieces as fast as they are written would else keep the event loop from all others.
    await setImmediate();
  }
}

function notAtEnd(): Uint8Array {
  throw new Error('The source ended before its last batch.');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
