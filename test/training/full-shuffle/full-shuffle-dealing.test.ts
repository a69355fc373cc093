import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCache } from '../../../src/arrow/block-cache.ts';
import { FeedDecodes } from '../../../src/training/feed/feed-decodes.ts';
import { FeedPool } from '../../../src/training/feed/feed-pool.ts';
import { dealGroups } from '../../../src/training/full-shuffle/full-shuffle-dealing.ts';
import { fullShufflePlan } from '../../../src/training/full-shuffle/full-shuffle-plan.ts';
import type { FeedGroups } from '../../../src/training/groups/feed-groups.ts';

test('a thread that holds rows which are dealt does not count as idle while their next group is waited for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-dealing-'));
  const cache = await BlockCache.open(directory, 1024 ** 3);
  const pool = new FeedPool({ storage: { warehouse: directory, cacheDir: directory }, workers: 1 });
  const [worker] = pool.workers();
  const asked = Promise.withResolvers<void>();
  const groups = {
    matchingRows: Uint32Array.of(1000),
    decodeTask: (_: number, signal: AbortSignal) => {
      asked.resolve();
      return new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  } as unknown as FeedGroups;
  const rows = {
    plan: fullShufflePlan({ contentKey: 'content', rows: 1000, rowBytes: 8, order: { seed: 0n, epoch: 0 } }),
    groups,
    columns: [{ id: 1, name: 'n', required: true, type: 'long' }],
  } as const;
  const left = new AbortController();
  const dealing = { ...rows, buckets: [0], dealers: 1, onDealt: () => {}, dealt: [] };
  const dealt = dealGroups({ cache, pool, decodes: new FeedDecodes(cache, pool) }, dealing, left.signal);
  await asked.promise;
  expect(worker?.isIdle).toBe(false);
  left.abort(new Error('left'));
  await expect(dealt).rejects.toThrow('left');
  await expect.poll(() => worker?.isIdle, { timeout: 60_000 }).toBe(true);
  await pool.close();
  await rm(directory, { recursive: true });
});
