import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DataType, makeData } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrowSchema } from '../../../src/arrow/arrow-type.ts';
import { BlockFileWriter } from '../../../src/arrow/block-file-writer.ts';
import type { NestedField } from '../../../src/iceberg/type.ts';
import { columnRanges } from '../../../src/training/feed/column-ranges.ts';
import { FeedBlocks } from '../../../src/training/feed/feed-blocks.ts';
import { FeedJob } from '../../../src/training/feed/feed-job.ts';
import type { GroupFile } from '../../../src/training/feed/feed-worker-messages.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';

const [lanes, rows, textBytes, numbers] = [4, 8192, 256, 20];
const columns = Array.from({ length: numbers + 1 }, (_, index): NestedField => {
  return { id: index + 1, name: `c${index}`, type: index < numbers ? 'double' : 'string', required: true };
});
let directory: string;
let files: readonly GroupFile[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'icecore-feed-blocks-'));
  const schema = arrowSchema(columns);
  files = Array.from({ length: lanes }, (_, place) => {
    const path = join(directory, `group-${place}`);
    const writer = BlockFileWriter.create(path, `key ${place}`, schema, rows);
    for (const [index, { type }] of schema.fields.entries()) writer.writeColumn(index, columnOf(type, index));
    writer.finish();
    return { place, path, key: `key ${place}` };
  });
});
afterAll(() => rmSync(directory, { recursive: true }));

function columnOf(type: DataType, index: number) {
  const shared = { type, length: rows, nullCount: 0 };
  if (index < numbers) return makeData({ ...shared, data: new Float64Array(rows) } as never);
  const valueOffsets = Int32Array.from({ length: rows + 1 }, (_, row) => row * textBytes);
  return makeData({ ...shared, valueOffsets, data: new Uint8Array(rows * textBytes).fill(97) } as never);
}

test('pieces of all lanes are in memory together, also those of a few columns with nearly all of the bytes', () => {
  // Enough for pieces of 2048 rows of the texts alone.
  const blocks = new FeedBlocks(lanes * 2 * 2048 * (textBytes + 40));
  const matchingRows = new Uint32Array(lanes).fill(rows);
  const order = { shuffle: 'WINDOWED', seed: 1n, epoch: 0, lanes } as const;
  const job = new FeedJob({ feed: 1, matchingRows, order, columns, compression: 'NONE' }, blocks);
  const batches = rankBatches(epochOrder(matchingRows, order), { batchSize: 1000, rank: 0, worldSize: 1, tail: 'SHORT' }, 0);
  const range = columnRanges(columns, 4).at(-1);
  if (range === undefined) throw new Error('a range');
  expect(range).toMatchObject({ from: numbers, to: numbers + 1 });
  const columnsOf = (batch: number) => {
    const part = { span: batches.at(batch).span, metadata: new Map() };
    return job.columns({ feed: 1, part, files, range, headBytes: 0 });
  };
  expect(columnsOf(0)).toHaveProperty('body');
  // What is read from now on is lost.
  for (const { path } of files) truncateSync(path);
  for (let batch = 1; batch < 8; batch++) expect(columnsOf(batch)).toHaveProperty('body');
  expect(columnsOf(9)).toHaveProperty('lost');
});
