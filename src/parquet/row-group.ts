import type { Data } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import type { NestedField } from '../iceberg/type.ts';
import { leavesOfPlan, planColumn } from './column-plan.ts';
import type { ColumnChunk, FileMetadata, ParquetFile } from './file-metadata.ts';
import { openRowGroup } from './open-row-group.ts';
import { isReadableCodec } from './page-codec.ts';

/** As `openRowGroup` has them, all at once, in the order of the fields. */
export async function readRowGroup(
  file: ParquetFile,
  metadata: FileMetadata,
  groupIndex: number,
  fields: readonly NestedField[],
  signal?: AbortSignal,
): Promise<readonly (Data | null)[]> {
  const found = new Array<Data | null>(fields.length).fill(null);
  for await (const { index, data } of openRowGroup(file, metadata, groupIndex, fields, signal).columns()) found[index] = data;
  return found;
}

/**
 * What of these columns this reader would refuse, as far as the footer tells: a text for a counter or a log, or null where it reads them.
 * Throws FAILED_PRECONDITION where the file is damaged.
 */
export function uncovered(metadata: FileMetadata, fields: readonly NestedField[]): string | null {
  try {
    for (const field of fields) {
      const plan = planColumn(field, metadata.columns);
      for (const { leaf } of plan === null ? [] : leavesOfPlan(plan)) {
        for (const { chunks } of metadata.rowGroups) {
          const what = uncoveredIn(chunks[leaf.index]);
          if (what !== null) return what;
        }
      }
    }
  } catch (error) {
    if (IcecoreError.is(error) && typeof error.context.unsupported === 'string') return error.context.unsupported;
    throw error;
  }
  return null;
}

/** Old writers name BIT_PACKED for levels that they do not have. */
function uncoveredIn(chunk: ColumnChunk | undefined): string | null {
  if (chunk === undefined || isReadableCodec(chunk.codec)) return null;
  return `The codec ${chunk.codec}`;
}
