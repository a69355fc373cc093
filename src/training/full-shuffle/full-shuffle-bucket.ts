import { rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Data, Schema } from 'apache-arrow';
import { BlockFile } from '../../arrow/block-file.ts';
import { BlockFileWriter } from '../../arrow/block-file-writer.ts';
import type { CheckedParts } from '../../arrow/checked-parts.ts';
import { gatheredColumn, type TakeMemory } from '../../arrow/gathered-column.ts';
import { MessageMemory } from '../../arrow/message-memory.ts';
import type { RowPick } from '../../arrow/row-pick.ts';
import { IcecoreError } from '../../errors.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import { bucketKey, dealtKey, type FullShufflePlan } from './full-shuffle-plan.ts';

export interface BucketOptions {
  readonly plan: FullShufflePlan;
  readonly schema: Schema;
  readonly bucket: number;
  readonly dealers: number;
  /** Where the file of a key lies. */
  readonly pathOf: (key: string) => string;
  /** Used again for the next bucket. */
  readonly memory?: MessageMemory;
  readonly checked?: CheckedParts;
}

/** Rows of a bucket as they were dealt in one round. */
interface Chunk {
  readonly columns: readonly Data[];
  readonly rowCount: number;
  /** Rows of the chunks before it. */
  readonly at: number;
}

/**
 * Puts the rows of a bucket in their order, the second pass of a full shuffle, and removes what they were dealt to: the bytes of the
 * bucket's file; null where a dealt file is missing or is not what it was. Holds the bucket twice. Throws
 * OVERLOADED where the disk is full.
 */
export async function sortBucket(options: BucketOptions, signal?: AbortSignal): Promise<number | null> {
  const { plan, schema, bucket, dealers, pathOf, checked } = options;
  const rowCount = Math.min(plan.bucketRows, plan.rows - bucket * plan.bucketRows);
  const files: BlockFile[] = [];
  const { memory = new MessageMemory(0) } = options;
  const taken: ArrayBuffer[] = [];
  const take = (bytes: number) => {
    const bytesTaken = memory.take(bytes);
    taken.push(bytesTaken.buffer);
    return bytesTaken;
  };
  const key = bucketKey(plan, bucket);
  const writer = BlockFileWriter.create(pathOf(key), key, schema, blockRowsMax, checked);
  try {
    for (let dealer = 0; dealer < dealers; dealer++) {
      const dealt = dealtKey(plan, bucket, dealer, dealers);
      const file = BlockFile.open(pathOf(dealt), dealt, checked);
      if (file === null) return null;
      files.push(file);
    }
    const chunks = readChunks(files, take);
    if (chunks === null) return null;
    signal?.throwIfAborted();
    const dealt = chunks.map(({ columns }) => columns);
    const placesAt = schema.fields.length;
    const rows = rowsByPlace(
      dealt.map((columns) => columns[placesAt]),
      rowCount,
      bucket,
    );
    const whole = chunks.map(
      ({ rowCount, at }, block): RowPick => ({ block, rows: null, from: 0, count: rowCount, at, stride: 1 }),
    );
    const joined: Data[] = [];
    for (const [column, { type }] of schema.fields.entries()) {
      const parts = dealt.map((columns) => columns[column]).filter((part) => part !== undefined);
      joined.push(gatheredColumn(type, parts, whole, rowCount, take));
      // Others of this thread have their turn.
      await setImmediate();
    }
    for (let from = 0; from < rowCount; from += blockRowsMax) {
      signal?.throwIfAborted();
      const count = Math.min(blockRowsMax, rowCount - from);
      writer.writePicks([joined], [{ block: 0, rows, from, count, at: 0, stride: 1 }], count);
      await setImmediate();
    }
    const bytes = writer.finish();
    for (const { path } of files) rmSync(path, { force: true });
    return bytes;
  } finally {
    writer.abandon();
    for (const file of files) file.close();
    for (const each of taken) memory.give(each);
  }
}

function readChunks(files: readonly BlockFile[], take: TakeMemory): readonly Chunk[] | null {
  const chunks: Chunk[] = [];
  let at = 0;
  for (const file of files) {
    for (const [block, rowCount] of file.rowCounts.entries()) {
      const columns = file.read(block, undefined, (bytes) => take(bytes).buffer);
      if (columns === null) return null;
      chunks.push({ columns, rowCount, at });
      at += rowCount;
    }
  }
  return chunks;
}

/** Which of the dealt rows is at each place. Throws INTERNAL where they are not each of the places once. */
function rowsByPlace(parts: readonly (Data | undefined)[], rowCount: number, bucket: number): Uint32Array {
  const rows = new Uint32Array(rowCount);
  let row = 0;
  for (const part of parts) for (const place of (part?.values ?? []) as Int32Array) rows[place] = ++row;
  if (row !== rowCount || rows.includes(0)) {
    throw new IcecoreError('INTERNAL', `Bucket ${bucket} of a full shuffle has ${row} rows dealt to ${rowCount} places.`);
  }
  for (let place = 0; place < rowCount; place++) rows[place] = (rows[place] ?? 1) - 1;
  return rows;
}
