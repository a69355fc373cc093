import { setImmediate } from 'node:timers/promises';
import type { Data } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { readingFile } from '../iceberg/broken-file.ts';
import type { NestedField } from '../iceberg/type.ts';
import { parquetGroupBytesMax } from '../limits.ts';
import { assembleColumn, type LeafOf } from './column-assembly.ts';
import { type ColumnPlan, leavesOfPlan, planColumn } from './column-plan.ts';
import { DecodeTurn } from './decode-turn.ts';
import type { ColumnChunk, FileMetadata, ParquetFile, RowGroup } from './file-metadata.ts';
import { type LeafColumn, readLeaf } from './leaf-column.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { RangeReadAhead } from './range-read-ahead.ts';

/** A column of a row group: which of the fields it is, and null where the file does not have it. */
export interface RowGroupColumn {
  readonly index: number;
  readonly data: Data | null;
}

/** A row group whose bytes are on their way. */
export interface OpenRowGroup {
  readonly rowCount: number;
  /**
   * The columns one by one, each as soon as its bytes are there: in the order in which they lie in the file, behind those that it does not
   * have. Between two of them the event loop has a turn. To be called once; whoever leaves before the end need not close it.
   */
  columns(): AsyncGenerator<RowGroupColumn, void>;
  /** Requests no more bytes, where the columns are not wanted after all. */
  close(): void;
}

/**
 * Begins to read the wanted columns of one row group, found by field id whatever they are called, as Arrow columns of `arrowType`: their
 * bytes alone, and no further ahead than `parquetAheadBytesMax`. Whoever opens the next group before the columns of this one are decoded
 * keeps the store busy. Throws, here and while reading, FAILED_PRECONDITION that names the file where it is damaged, or has what this
 * reader does not know: then with `context.unsupported`. The arrays are the caller's.
 */
export function openRowGroup(
  file: ParquetFile,
  metadata: FileMetadata,
  groupIndex: number,
  fields: readonly NestedField[],
  signal?: AbortSignal,
): OpenRowGroup {
  const { location } = file;
  const { group, columns } = readingFile(location, () => {
    const group = metadata.rowGroups[groupIndex];
    if (group === undefined) throw new IcecoreError('INTERNAL', `${location} has no row group ${groupIndex}.`);
    const columns = fields.map((field, index) => columnRead(index, planColumn(field, metadata.columns), group));
    checkGroupBytes(columns.reduce((sum, { bytes }) => sum + bytes, 0));
    return { group, columns: columns.toSorted((a, b) => a.start - b.start || a.index - b.index) };
  });
  const wanted = columns.flatMap(({ chunks }) => chunks.map(({ range }) => range));
  const ahead = new RangeReadAhead(file, wanted, signal);
  return {
    rowCount: group.rowCount,
    columns: () => decodedColumns(location, group, columns, ahead, signal),
    close: () => ahead.close(),
  };
}

async function* decodedColumns(
  location: string,
  group: RowGroup,
  columns: readonly ColumnRead[],
  ahead: RangeReadAhead,
  signal: AbortSignal | undefined,
): AsyncGenerator<RowGroupColumn, void> {
  const turn = new DecodeTurn();
  try {
    let decodedBytes = 0;
    for (const { index, plan, chunks } of columns) {
      signal?.throwIfAborted();
      const bytes = new Map<ColumnChunk, Uint8Array>();
      turn.end();
      for (const chunk of chunks) bytes.set(chunk, await ahead.bytesOf(chunk.range));
      await turn.begin();
      const data =
        plan === null ? null : readingFile(location, () => assembleColumn(plan, leavesFrom(group, bytes), group.rowCount));
      decodedBytes += data?.byteLength ?? 0;
      readingFile(location, () => checkGroupBytes(decodedBytes));
      for (const chunk of chunks) ahead.release(chunk.range);
      yield { index, data };
      // Decoding never waits where all bytes are there: sockets would not be read.
      await setImmediate();
    }
  } finally {
    turn.end();
    ahead.close();
  }
}

/** What is to be read for a column. */
interface ColumnRead {
  readonly index: number;
  readonly plan: ColumnPlan | null;
  /** Those that have bytes. */
  readonly chunks: readonly ColumnChunk[];
  readonly bytes: number;
  /** Where they begin; before all others where there are none. */
  readonly start: number;
}

function columnRead(index: number, plan: ColumnPlan | null, group: RowGroup): ColumnRead {
  const used = new Set(plan === null ? [] : leavesOfPlan(plan).map(({ leaf }) => leaf.index));
  const chunks = group.chunks.filter(({ valueCount }, leaf) => used.has(leaf) && valueCount > 0);
  const bytes = chunks.reduce((sum, { range }) => sum + range.end - range.start, 0);
  const start = chunks.length === 0 ? 0 : Math.min(...chunks.map(({ range }) => range.start));
  return { index, plan, chunks, bytes, start };
}

/** Decodes the leaves of one column. What is nested is asked for again, for its levels. */
function leavesFrom(group: RowGroup, bytes: ReadonlyMap<ColumnChunk, Uint8Array>): LeafOf {
  const read = new Map<number, LeafColumn>();
  return (node) => {
    const known = read.get(node.leaf.index);
    if (known !== undefined) return known;
    const chunk = group.chunks[node.leaf.index];
    if (chunk === undefined) throw damaged(`the column "${node.name}" is missing`);
    const column = readLeaf(bytes.get(chunk) ?? new Uint8Array(), chunk, node);
    read.set(node.leaf.index, column);
    return column;
  };
}

/** Runs make much of few bytes, in each column anew. */
function checkGroupBytes(size: number): void {
  if (size > parquetGroupBytesMax)
    throw unsupported(`A row group with more than ${parquetGroupBytesMax} bytes in the wanted columns`);
}
