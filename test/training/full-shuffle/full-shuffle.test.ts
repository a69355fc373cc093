import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlockFile } from '../../../src/arrow/block-file.ts';
import { fullShuffleBucketBytes } from '../../../src/limits.ts';
import { sortBucket } from '../../../src/training/full-shuffle/full-shuffle-bucket.ts';
import { FullShuffleDealer } from '../../../src/training/full-shuffle/full-shuffle-dealer.ts';
import {
  bucketKey,
  bucketRowCounts,
  dealtKey,
  type FullShufflePlan,
  fullShufflePlan,
} from '../../../src/training/full-shuffle/full-shuffle-plan.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { cellsOf } from '../../arrow/random-columns.ts';
import { groups, smallGroups } from '../order/order-case.ts';
import { addressSchema, dealAll, groupFile, pathsIn, textOf } from './full-shuffle-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'icecore-full-shuffle-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A plan whose buckets have so many rows. */
function planOf(matchingRows: readonly number[], bucketRows: number, seed: bigint, epoch: number): FullShufflePlan {
  const rows = matchingRows.reduce((sum, count) => sum + count, 0);
  return fullShufflePlan({ contentKey: 'content', rows, rowBytes: fullShuffleBucketBytes / bucketRows, order: { seed, epoch } });
}

/** The rows of a bucket as [group, index, text], in its order. */
async function rowsOf(plan: FullShufflePlan, bucket: number, dealers: number): Promise<readonly (readonly unknown[])[]> {
  const pathOf = pathsIn(directory);
  const bytes = await sortBucket({ plan, schema: addressSchema, bucket, dealers, pathOf });
  const key = bucketKey(plan, bucket);
  const file = BlockFile.open(pathOf(key), key);
  if (file === null) return [];
  expect(file.bytes).toBe(bytes);
  expect(file.rowCounts.reduce((sum, count) => sum + count, 0)).toBe(bucketRowCounts(plan)[bucket]);
  const rows = file.rowCounts.flatMap((_, block) => {
    const [place = [], index = [], text = []] = (file.read(block) ?? []).map(cellsOf);
    return place.map((group, row) => [Number(group), Number(index[row]), text[row]]);
  });
  file.close();
  return rows;
}

function expected(matchingRows: readonly number[], seed: bigint, epoch: number): readonly (readonly unknown[])[] {
  const order = epochOrder(Uint32Array.from(matchingRows), { shuffle: 'FULL', seed, epoch, lanes: 1 });
  const { groups, indices } = order.reader().read({ from: 0, to: order.rows, firstLane: 0, endLane: 1, rows: order.rows });
  return Array.from(groups, (group, row) => [group, indices[row] ?? 0, textOf(group, indices[row] ?? 0)]);
}

describe('A full shuffle', () => {
  test('has each row at its position, whatever the groups, buckets and dealers', async () => {
    const some = fc
      .oneof({ weight: 8, arbitrary: smallGroups }, { weight: 1, arbitrary: groups })
      .filter((counts) => counts.some((count) => count > 0));
    await fc.assert(
      fc.asyncProperty(
        some,
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.nat(),
        fc.constantFrom(16, 64, 4096, 65_536),
        fc.integer({ min: 1, max: 3 }),
        async (matchingRows, seed, epoch, bucketRows, dealers) => {
          const plan = planOf(matchingRows, bucketRows, seed, epoch);
          await dealAll(plan, matchingRows, dealers, pathsIn(directory));
          const rows = [];
          for (let bucket = 0; bucket < plan.buckets; bucket++) rows.push(...(await rowsOf(plan, bucket, dealers)));
          expect(rows).toEqual(expected(matchingRows, seed, epoch));
          for (const name of readdirSync(directory)) rmSync(join(directory, name));
        },
      ),
      { numRuns: 25 },
    );
  });

  test('keeps nothing of a bucket but its rows in order, and is asked for one of them alone', async () => {
    const matchingRows = [300, 0, 200];
    const plan = planOf(matchingRows, 64, 5n, 1);
    const pathOf = pathsIn(directory);
    await dealAll(plan, matchingRows, 2, pathOf);
    for (const [group, rowCount] of matchingRows.entries()) rmSync(pathOf(`group ${group} ${rowCount}`));
    expect(readdirSync(directory)).toHaveLength(2 * plan.buckets);
    expect(await rowsOf(plan, 5, 2)).toEqual(expected(matchingRows, 5n, 1).slice(5 * 64, 6 * 64));
    expect(readdirSync(directory)).toHaveLength(2 * plan.buckets - 1);
  });

  test('ends where the cache is emptied while rows are dealt, and can be tried again', async () => {
    const pathOf = pathsIn(join(directory, 'cache'));
    const plan = planOf([300], 64, 5n, 1);
    const buckets = Array.from({ length: plan.buckets }, (_, bucket) => bucket);
    const options = { plan, schema: addressSchema, dealer: 0, dealers: 1, buckets, pathOf, roundBytes: 1 };
    const file = groupFile(pathsIn(directory), 0, 300);
    const dealer = new FullShuffleDealer(options);
    await dealer.add(file, 0);
    rmSync(join(directory, 'cache'), { recursive: true });
    await expect(dealer.finish()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', retryable: true });
    dealer.abandon();
    const again = new FullShuffleDealer(options);
    await again.add(file, 0);
    expect(await again.finish()).toHaveLength(plan.buckets);
  });

  test('notices dealt rows that are gone, and deals those of the buckets that are wanted again', async () => {
    const matchingRows = [300, 200];
    const plan = planOf(matchingRows, 64, 5n, 1);
    const pathOf = pathsIn(directory);
    await dealAll(plan, matchingRows, 2, pathOf);
    rmSync(pathOf(dealtKey(plan, 3, 1, 2)));
    expect(await sortBucket({ plan, schema: addressSchema, bucket: 3, dealers: 2, pathOf })).toBeNull();
    await dealAll(plan, matchingRows, 2, pathOf, [3, 7]);
    for (const bucket of [3, 7]) {
      expect(await rowsOf(plan, bucket, 2)).toEqual(expected(matchingRows, 5n, 1).slice(bucket * 64, (bucket + 1) * 64));
    }
  });
});
