import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BlockCache } from '../../../src/arrow/block-cache.ts';
import { BatchesAhead } from '../../../src/training/feed/batches-ahead.ts';
import { EncodedBatches } from '../../../src/training/feed/encoded-batches.ts';
import { FeedBatches } from '../../../src/training/feed/feed-batches.ts';
import { FeedDecodes } from '../../../src/training/feed/feed-decodes.ts';
import { FeedPool } from '../../../src/training/feed/feed-pool.ts';
import { FullShuffles } from '../../../src/training/full-shuffle/full-shuffles.ts';
import type { FeedGroups } from '../../../src/training/groups/feed-groups.ts';

test('a batch whose groups are being decoded takes no memory from others', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-ahead-'));
  const cache = await BlockCache.open(directory, 1024 ** 3);
  const pool = new FeedPool({ storage: { warehouse: directory, cacheDir: directory }, workers: 1 });
  const engine = { cache, pool, decodes: new FeedDecodes(cache, pool) };
  const asked = Promise.withResolvers<void>();
  const groups = {
    matchingRows: Uint32Array.of(1000),
    decodeTask: () => {
      asked.resolve();
      return new Promise<never>(() => {});
    },
  } as unknown as FeedGroups;
  const feed = new FeedBatches(
    { ...engine, shuffles: new FullShuffles(engine) },
    {
      groups,
      order: { shuffle: 'NONE', seed: 0n, epoch: 0, lanes: 1 },
      share: { batchSize: 1_000_000, rank: 0, worldSize: 1, tail: 'SHORT' },
      compression: 'NONE',
      columns: [{ id: 1, name: 'n', required: true, type: 'long' }],
      start: 0,
      cursorAt: String,
    },
    undefined,
  );
  expect(feed.estimatedBatchBytes).toBe(8000);
  const encoded = new EncodedBatches(1000);
  const ahead = new BatchesAhead(feed, encoded, undefined);
  ahead.next().catch(() => undefined);
  await asked.promise;
  expect(encoded.bytes).toBe(0);
  ahead.close();
  feed.close();
  await pool.close();
  await rm(directory, { recursive: true });
});
