import { oneBatchStream } from '../src/arrow/ipc.ts';
import type { BatchView } from './views.ts';

/** A batch as an Arrow IPC stream of its own, for transports that carry each event by itself. */
export function batchIpc({ recordBatch, metadata }: BatchView): Uint8Array {
  return oneBatchStream(recordBatch, metadata);
}
