import { Readable } from 'node:stream';
import type { RecordBatch } from 'apache-arrow';
import { IpcWriter } from '../arrow/ipc.ts';
import { arrowResponseBytesAhead } from '../limits.ts';

/** The part of an event that the raw transport needs. */
export interface ArrowEvent {
  readonly recordBatch: RecordBatch;
  /** Of the batch's own message. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly last: boolean;
}

/**
 * All events as one Arrow IPC stream: the schema of the first, everyone's batch, and the end only behind a batch marked `last`. Pulled: the
 * next event is asked for when what is ready has been taken. Errors destroy it, as does a source that ends without the mark; when it
 * is destroyed, the source is returned.
 */
export function arrowBody(events: AsyncIterator<ArrowEvent>): Readable {
  let writer: IpcWriter | null = null;
  let complete = false;
  const bytesOf = (event: ArrowEvent | null): Uint8Array | null => {
    if (event === null) {
      if (writer !== null && complete) return writer.end();
      throw new Error('The source ended before its last batch.');
    }
    complete = event.last;
    if (writer !== null) return writer.batch(event.recordBatch, event.metadata);
    writer = new IpcWriter(event.recordBatch.schema);
    return Buffer.concat([writer.schema(), writer.batch(event.recordBatch, event.metadata)]);
  };
  return new Readable({
    highWaterMark: arrowResponseBytesAhead,
    // Node asks again only once something was pushed: one event a call.
    read() {
      next(events)
        .then((event) => {
          if (this.destroyed) return;
          this.push(bytesOf(event));
          if (event === null) this.push(null);
        })
        .catch((error: unknown) => this.destroy(asError(error)));
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
