import { Readable } from 'node:stream';
import { arrowResponseBytesAhead } from '../limits.ts';
import { endOfStream, splitIpcStream } from './ipc-message.ts';

/** The part of an event that the raw transport needs. */
export interface ArrowEvent {
  /** A whole Arrow IPC stream: schema, dictionaries, one record batch. */
  readonly ipc: Uint8Array;
  readonly last: boolean;
}

/**
 * All events as one Arrow IPC stream: the first one's schema, then everyone's batches, and the end only behind a batch marked `last`. Pulled: the
 * next event is asked for when what is ready has been taken. Errors destroy it, as does a source that ends without the mark; when it
 * is destroyed, the source is returned.
 */
export function arrowBody(events: AsyncIterator<ArrowEvent>): Readable {
  let begun = false;
  let complete = false;
  return new Readable({
    highWaterMark: arrowResponseBytesAhead,
    read() {
      next(events).then(
        (event) => {
          if (this.destroyed) return;
          if (event === null) {
            if (!complete) this.destroy(new Error('The source ended before its last batch.'));
            else {
              this.push(endOfStream);
              this.push(null);
            }
            return;
          }
          try {
            const { schema, batches } = splitIpcStream(event.ipc);
            complete = event.last;
            // One push, so that `read` is called once an event.
            this.push(begun ? batches : Buffer.concat([schema, batches]));
            begun = true;
          } catch (error) {
            this.destroy(asError(error));
          }
        },
        (error: unknown) => this.destroy(asError(error)),
      );
    },
    destroy(error, done) {
      Promise.resolve(events.return?.()).then(
        () => done(error),
        (failure: unknown) => done(error ?? asError(failure)),
      );
    },
  });
}

async function next(events: AsyncIterator<ArrowEvent>): Promise<ArrowEvent | null> {
  const step = await events.next();
  return step.done === true ? null : step.value;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
