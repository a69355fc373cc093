import { rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Data, Schema } from 'apache-arrow';
import { BlockFile } from '../arrow/block-file.ts';
import { BlockFileWriter } from '../arrow/block-file-writer.ts';
import { gatheredColumn } from '../arrow/gathered-column.ts';
import type { RowPick } from '../arrow/row-pick.ts';
import { IcecoreError } from '../errors.ts';
import { bucketKey, dealtKey, type FullShufflePlan } from './full-shuffle-plan.ts';
import { blockRowsMax } from './order/block-shuffle.ts';

export interface BucketOptions {
  readonly plan: FullShufflePlan;
  readonly schema: Schema;
  readonly bucket: number;
  readonly dealers: number;
  /** Where the file of a key lies. */
  readonly pathOf: (key: string) => string;
}

/** A chunk of a bucket, as it was dealt. */
interface Chunk {
  readonly file: BlockFile;
  readonly block: number;
  readonly rowCount: number;
  /** Rows of the chunks before it. */
  readonly at: number;
}

/**
 * Puts the rows of a bucket in their order, the second pass of a full shuffle, and removes what they were dealt to: the bytes of the
 * bucket's file; null where a dealt file is missing or is not what it was. One column after another: memory is that of the largest. Throws
 * OVERLOADED where the disk is full.
 */
export async function sortBucket(options: BucketOptions, signal?: AbortSignal): Promise<number | null> {
  const { plan, schema, bucket, dealers, pathOf } = options;
  const rowCount = Math.min(plan.bucketRows, plan.rows - bucket * plan.bucketRows);
  const files: BlockFile[] = [];
  const key = bucketKey(plan, bucket);
  const writer = BlockFileWriter.create(pathOf(key), key, schema, blockRowsMax);
  try {
    for (let dealer = 0; dealer < dealers; dealer++) {
      const dealt = dealtKey(plan, bucket, dealer, dealers);
      const file = BlockFile.open(pathOf(dealt), dealt);
      if (file === null) return null;
      files.push(file);
    }
    const chunks = chunksOf(files);
    const places = columnOf(chunks, schema.fields.length);
    if (places === null) return null;
    const rows = rowsByPlace(places, rowCount, bucket);
    const all: RowPick = { block: 0, rows, from: 0, count: rowCount, at: 0, stride: 1 };
    for (const [column, { type }] of schema.fields.entries()) {
      signal?.throwIfAborted();
      const parts = columnOf(chunks, column);
      if (parts === null) return null;
      const whole = chunks.map(
        ({ rowCount, at }, block): RowPick => ({ block, rows: null, from: 0, count: rowCount, at, stride: 1 }),
      );
      const joined = gatheredColumn(type, parts, whole, rowCount);
      writer.writeColumn(column, gatheredColumn(type, [joined], [all], rowCount));
      // Others of this thread have their turn.
      await setImmediate();
    }
    const bytes = writer.finish();
    for (const { path } of files) rmSync(path, { force: true });
    return bytes;
  } finally {
    writer.abandon();
    for (const file of files) file.close();
  }
}

function chunksOf(files: readonly BlockFile[]): readonly Chunk[] {
  const chunks: Chunk[] = [];
  let at = 0;
  for (const file of files) {
    for (const [block, rowCount] of file.rowCounts.entries()) {
      chunks.push({ file, block, rowCount, at });
      at += rowCount;
    }
  }
  return chunks;
}

/** A column of each chunk. */
function columnOf(chunks: readonly Chunk[], column: number): readonly Data[] | null {
  const parts = chunks.map(({ file, block }) => file.read(block, [column])?.[0] ?? null);
  return parts.every((part) => part !== null) ? parts : null;
}

/** Which of the dealt rows is at each place. Throws INTERNAL where they are not each of the places once. */
function rowsByPlace(parts: readonly Data[], rowCount: number, bucket: number): Uint32Array {
  const rows = new Uint32Array(rowCount);
  let row = 0;
  for (const { values } of parts) for (const place of values as Int32Array) rows[place] = ++row;
  if (row !== rowCount || rows.includes(0)) {
    throw new IcecoreError('INTERNAL', `Bucket ${bucket} of a full shuffle has ${row} rows dealt to ${rowCount} places.`);
  }
  for (let place = 0; place < rowCount; place++) rows[place] = (rows[place] ?? 1) - 1;
  return rows;
}
