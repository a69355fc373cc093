import type { Data } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { readingFile } from '../iceberg/broken-file.ts';
import type { NestedField } from '../iceberg/type.ts';
import { parquetGroupBytesMax } from '../limits.ts';
import { readRanges } from './coalesced-ranges.ts';
import { assembleColumn } from './column-assembly.ts';
import { leavesOfPlan, planColumn } from './column-plan.ts';
import type { ColumnChunk, FileMetadata, ParquetFile } from './file-metadata.ts';
import { type LeafColumn, readLeaf } from './leaf-column.ts';
import { isReadableCodec } from './page-codec.ts';
import { damaged, unsupported } from './parquet-error.ts';
import type { LeafNode } from './schema-node.ts';

/**
 * The columns of one row group as Arrow columns of `arrowType`, found by field id whatever they are called; null for those that the file
 * does not have. Reads their bytes alone. Throws FAILED_PRECONDITION that names the file where it is damaged, or has what this reader does
 * not know: then with `context.unsupported`. The arrays are the caller's.
 */
export async function readRowGroup(
  file: ParquetFile,
  metadata: FileMetadata,
  groupIndex: number,
  fields: readonly NestedField[],
  signal?: AbortSignal,
): Promise<readonly (Data | null)[]> {
  const { location } = file;
  const { group, plans, leaves } = readingFile(location, () => {
    const group = metadata.rowGroups[groupIndex];
    if (group === undefined) throw new IcecoreError('INTERNAL', `${location} has no row group ${groupIndex}.`);
    const plans = fields.map((field) => planColumn(field, metadata.columns));
    const used = plans.flatMap((plan) => (plan === null ? [] : leavesOfPlan(plan)));
    return { group, plans, leaves: new Map(used.map((node) => [node.leaf.index, node])) };
  });
  const wanted = group.chunks.filter(({ valueCount }, index) => leaves.has(index) && valueCount > 0).map(({ range }) => range);
  const readBytes = wanted.reduce((sum, { start, end }) => sum + end - start, 0);
  readingFile(location, () => checkGroupBytes(readBytes));
  const bytes = await readRanges(file, wanted, signal);
  const read = new Map<number, LeafColumn>();
  const leafOf = (node: LeafNode): LeafColumn => {
    const known = read.get(node.leaf.index);
    if (known !== undefined) return known;
    const chunk = group.chunks[node.leaf.index];
    if (chunk === undefined) throw damaged(`the column "${node.name}" is missing`);
    const column = readLeaf(bytes.get(chunk.range) ?? new Uint8Array(), chunk, node);
    // What is nested is asked for again, for its levels.
    if (!node.isTop) read.set(node.leaf.index, column);
    return column;
  };
  let decodedBytes = 0;
  return readingFile(location, () =>
    plans.map((plan) => {
      signal?.throwIfAborted();
      if (plan === null) return null;
      const column = assembleColumn(plan, leafOf, group.rowCount);
      decodedBytes += column.byteLength;
      checkGroupBytes(decodedBytes);
      return column;
    }),
  );
}

/** Runs make much of few bytes, in each column anew. */
function checkGroupBytes(size: number): void {
  if (size > parquetGroupBytesMax)
    throw unsupported(`A row group with more than ${parquetGroupBytesMax} bytes in the wanted columns`);
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
