import { oneBatchStream } from '../src/arrow/ipc.ts';
import type { SqlBatchView, TrainingBatchView } from './views.ts';

/** A batch as an Arrow IPC stream of its own, for transports that carry each event by itself. */
export function sqlBatchIpc({ recordBatch, metadata }: SqlBatchView): Uint8Array {
  return oneBatchStream(recordBatch, metadata);
}

export async function trainingBatchIpc({ schemaMessage, message, endMessage }: TrainingBatchView): Promise<Uint8Array> {
  return Buffer.concat([schemaMessage, await message.bytes(), endMessage]);
}
