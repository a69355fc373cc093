import { join } from 'node:path';
import { type Data, Field, Int32, makeData, Schema, Utf8, vectorFromArray } from 'apache-arrow';
import { blockFileName } from '../../../src/arrow/block-cache-files.ts';
import { BlockFile } from '../../../src/arrow/block-file.ts';
import { BlockFileWriter } from '../../../src/arrow/block-file-writer.ts';
import { FullShuffleDealer } from '../../../src/training/full-shuffle/full-shuffle-dealer.ts';
import type { FullShufflePlan } from '../../../src/training/full-shuffle/full-shuffle-plan.ts';
import { blockRowsMax } from '../../../src/training/order/block-shuffle.ts';

/** Rows that tell where they come from, and a text that is missing now and then. */
export const addressSchema = new Schema([
  new Field('group', new Int32(), false),
  new Field('index', new Int32(), false),
  new Field('text', new Utf8(), true),
]);

export function textOf(group: number, index: number): string | null {
  return (group + index) % 3 === 0 ? null : `${group}/${index}`;
}

function columnsOf(group: number, rowCount: number): readonly Data[] {
  const indices = Int32Array.from({ length: rowCount }, (_, index) => index);
  const texts = vectorFromArray(
    Array.from(indices, (index) => textOf(group, index)),
    new Utf8(),
  ).data[0];
  return [
    makeData({ type: new Int32(), data: new Int32Array(rowCount).fill(group), nullCount: 0 }),
    makeData({ type: new Int32(), data: indices, nullCount: 0 }),
    texts as Data,
  ];
}

export function pathsIn(directory: string): (key: string) => string {
  return (key) => join(directory, blockFileName(key));
}

/** The block file of a group's matching rows. */
export function groupFile(pathOf: (key: string) => string, group: number, rowCount: number): BlockFile {
  const key = `group ${group} ${rowCount}`;
  const writer = BlockFileWriter.create(pathOf(key), key, addressSchema, blockRowsMax);
  if (rowCount > 0) writer.writeRows({ rowCount, columns: columnsOf(group, rowCount) });
  writer.finish();
  const file = BlockFile.open(pathOf(key), key);
  if (file === null) throw new Error(`The file of group ${group} is not there.`);
  return file;
}

/** Deals all groups, shared out among the dealers. */
export async function dealAll(
  plan: FullShufflePlan,
  matchingRows: readonly number[],
  dealers: number,
  pathOf: (key: string) => string,
  buckets: readonly number[] = Array.from({ length: plan.buckets }, (_, bucket) => bucket),
): Promise<number> {
  let bytes = 0;
  for (let dealer = 0; dealer < dealers; dealer++) {
    const work = new FullShuffleDealer({ plan, schema: addressSchema, dealer, dealers, buckets, pathOf, roundBytes: 20_000 });
    for (const [group, rowCount] of matchingRows.entries()) {
      if (group % dealers !== dealer) continue;
      const firstRow = matchingRows.slice(0, group).reduce((sum, count) => sum + count, 0);
      const file = groupFile(pathOf, group, rowCount);
      await work.add(file, firstRow);
      file.close();
    }
    for (const file of await work.finish()) bytes += file.bytes;
  }
  return bytes;
}
