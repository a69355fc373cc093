import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { decodeSingleValue } from '../iceberg/single-value.ts';

/** A file and the newest moment that a row of it may have; null where the file does not say. */
export interface DatedFile {
  readonly task: FileScanTask;
  readonly newestMicros: bigint | null;
}

/** Files by the newest moment that they may hold, newest first; those that do not say come before all others. */
export function newestFilesFirst(tasks: readonly FileScanTask[], asOfFieldId: number): readonly DatedFile[] {
  return tasks
    .map((task): DatedFile => ({ task, newestMicros: newestOf(task, asOfFieldId) }))
    .sort((a, b) => {
      if (a.newestMicros === b.newestMicros) return 0;
      if (a.newestMicros === null) return -1;
      return b.newestMicros !== null && a.newestMicros > b.newestMicros ? -1 : 1;
    });
}

function newestOf({ file }: FileScanTask, asOfFieldId: number): bigint | null {
  const bound = file.upperBounds?.get(asOfFieldId);
  if (bound === undefined) return null;
  try {
    return BigInt(String(decodeSingleValue('timestamptz', bound)));
  } catch {
    return null;
  }
}
