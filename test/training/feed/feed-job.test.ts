import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeData, tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrowSchema } from '../../../src/arrow/arrow-type.ts';
import { BatchEncoder } from '../../../src/arrow/batch-encoder.ts';
import { BlockFileWriter } from '../../../src/arrow/block-file-writer.ts';
import type { NestedField } from '../../../src/iceberg/type.ts';
import { FeedBlocks } from '../../../src/training/feed/feed-blocks.ts';
import { FeedJob } from '../../../src/training/feed/feed-job.ts';
import type { GroupFile } from '../../../src/training/feed/feed-worker-messages.ts';
import { blockRowsMax } from '../../../src/training/order/block-shuffle.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';
import { shares } from '../order/order-case.ts';

const columns: readonly NestedField[] = [{ id: 1, name: 'n', required: true, type: 'long' }];
const schema = arrowSchema(columns);
const groupRows = [5000, 1, 0, 70_000, 2500, 9000, 30];
/** A row's number says where it lies. */
const groupStride = 1_000_000;
let directory: string;
let files: readonly GroupFile[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'icecore-feed-job-'));
  files = groupRows.map((rowCount, place) => {
    const path = join(directory, `group-${place}`);
    const writer = BlockFileWriter.create(path, `key ${place}`, schema, blockRowsMax);
    const cells = BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(place * groupStride + row));
    const [field] = schema.fields;
    if (field === undefined) throw new Error('no field');
    writer.writeColumn(0, makeData({ type: field.type, length: rowCount, nullCount: 0, data: cells } as never));
    writer.finish();
    return { place, path, key: `key ${place}` };
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

test('a batch has the rows of its positions, whatever memory there is for blocks', () => {
  const { schemaMessage, endMessage } = (() => {
    const encoder = new BatchEncoder(schema, 'NONE');
    return { schemaMessage: encoder.schemaMessage(), endMessage: encoder.endMessage() };
  })();
  const orders = fc.record({
    shuffle: fc.constantFrom('NONE', 'WINDOWED'),
    seed: fc.bigInt({ min: -3n, max: 3n }),
    epoch: fc.nat(2),
    lanes: fc.constantFrom(1, 2, 8, 64),
  });
  const bytes = fc.constantFrom(1, 64 * 1024, 1024 * 1024, 64 * 1024 * 1024);
  fc.assert(
    fc.property(orders, shares, bytes, fc.nat(40), fc.nat(3), (order, share, blocksBytesMax, first, skip) => {
      const matchingRows = Uint32Array.from(groupRows);
      const blocks = new FeedBlocks(blocksBytesMax);
      const job = new FeedJob({ feed: 1, matchingRows, order, columns, compression: 'NONE' }, blocks);
      const epoch = epochOrder(matchingRows, order);
      const rank = rankBatches(epoch, { ...share, batchSize: share.batchSize * 100, rank: share.worldSize - 1 }, 0);
      const wanted = Array.from({ length: 6 }, (_, index) => first + index * (skip + 1)).filter((batch) => batch < rank.count);
      for (const run of skip % 2 === 0 ? [wanted] : wanted.map((batch) => [batch])) {
        const parts = run.map((batch) => ({ span: rank.at(batch).span, metadata: new Map([['batch', String(batch)]]) }));
        const answer = job.batches({ feed: 1, parts, files });
        if (!('messages' in answer)) throw new Error(`lost ${answer.lost}`);
        for (const [index, { span }] of parts.entries()) {
          const message = answer.messages.subarray(answer.ends[index - 1] ?? 0, answer.ends[index]);
          const read = tableFromIPC([schemaMessage, message, endMessage]).getChild('n')?.toArray() as BigInt64Array;
          const { groups, indices } = epoch.reader().read(span);
          const expected = Array.from(groups, (place, row) => BigInt(place * groupStride + (indices[row] ?? 0)));
          expect(read.length).toBe(expected.length);
          expect(read.findIndex((each, row) => each !== expected[row])).toBe(-1);
        }
        blocks.memory.give(answer.messages.buffer);
      }
      blocks.clear();
    }),
    { numRuns: 25 },
  );
});

test('a batch whose blocks are more than there is memory for is refused with the cure, and others are made after it', () => {
  const blocks = new FeedBlocks(64 * 1024, 300_000);
  const matchingRows = Uint32Array.from(groupRows);
  const order = { shuffle: 'WINDOWED', seed: 1n, epoch: 0, lanes: 8 } as const;
  const job = new FeedJob({ feed: 1, matchingRows, order, columns, compression: 'NONE' }, blocks);
  const epoch = epochOrder(matchingRows, order);
  const batchOf = (batchSize: number, batch: number) => {
    const { span } = rankBatches(epoch, { batchSize, rank: 0, worldSize: 1, tail: 'SHORT' }, 0).at(batch);
    return job.batches({ feed: 1, parts: [{ span, metadata: new Map() }], files });
  };
  for (let tries = 0; tries < 3; tries++) {
    expect(() => batchOf(60_000, 0)).toThrow(/blocks of more than 300000 bytes together.*Ask for smaller batches/);
    for (let batch = 0; batch < 20; batch++) expect(batchOf(800, batch)).toMatchObject({ messages: expect.any(Uint8Array) });
  }
});
