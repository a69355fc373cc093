import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrowSchema } from '../../../src/arrow/arrow-type.ts';
import { BlockFileWriter } from '../../../src/arrow/block-file-writer.ts';
import type { NestedField } from '../../../src/iceberg/type.ts';
import { BatchMakers } from '../../../src/training/feed/batch-makers.ts';
import type { FeedCompression, FeedOrder } from '../../../src/training/feed/feed-input.ts';
import { FeedPool } from '../../../src/training/feed/feed-pool.ts';
import type { BatchPart, GroupFile } from '../../../src/training/feed/feed-worker-messages.ts';
import type { MakersCount } from '../../../src/training/feed/makers-count.ts';
import { joinedChunks, type MessageChunks } from '../../../src/training/feed/message-chunks.ts';
import { blockRowsMax } from '../../../src/training/order/block-shuffle.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';
import { randomColumn, randomOf } from '../../arrow/random-column.ts';

const types: readonly NestedField['type'][] = [
  'string',
  'double',
  { kind: 'struct', fields: [{ id: 20, name: 'inner', type: 'binary', required: false }] },
  'boolean',
  { kind: 'list', elementId: 21, element: 'int', elementRequired: false },
  'unknown',
  'long',
  'decimal(9, 2)',
];
const columns = types.map((type, index): NestedField => ({ id: index + 1, name: `c${index}`, type, required: false }));
const groupRows = [70_000, 1, 9000, 0, 30_000];
const matchingRows = Uint32Array.from(groupRows);
const batchSize = 30_000;
let directory: string;
let files: readonly GroupFile[];
const pools: FeedPool[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'icecore-makers-'));
  const random = randomOf(7);
  const schema = arrowSchema(columns);
  files = groupRows.map((rowCount, place) => {
    const path = join(directory, `group-${place}`);
    const writer = BlockFileWriter.create(path, `key ${place}`, schema, blockRowsMax);
    for (const [index, { type }] of schema.fields.entries()) writer.writeColumn(index, randomColumn(type, rowCount, random));
    writer.finish();
    return { place, path, key: `key ${place}` };
  });
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  rmSync(directory, { recursive: true });
});

interface Makers {
  readonly makers: BatchMakers;
  readonly parts: readonly BatchPart[];
}

let feeds = 0;

interface Asked {
  readonly lanes?: number;
  readonly shuffle?: FeedOrder['shuffle'];
  readonly compression?: FeedCompression;
  /** Threads that make a batch, one batch after the other. */
  readonly counts?: readonly number[];
  readonly count?: Pick<MakersCount, 'of'>;
}

function openPool(workers: number, script?: URL): FeedPool {
  const storage = { warehouse: directory, cacheDir: join(directory, 'cache') };
  const pool = new FeedPool({ storage, workers, ...(script === undefined ? {} : { script }) });
  pools.push(pool);
  return pool;
}

function openMakers(pool: FeedPool, asked: Asked = {}): Makers {
  const { lanes = 4, shuffle = 'WINDOWED', compression = 'NONE', counts } = asked;
  const order: FeedOrder = { shuffle, seed: 3n, epoch: 1, lanes };
  const batches = rankBatches(epochOrder(matchingRows, order), { batchSize, rank: 0, worldSize: 1, tail: 'SHORT' }, 0);
  const parts = Array.from({ length: batches.count }, (_, index) => ({
    span: batches.at(index).span,
    metadata: new Map([['batch', `${index}`.repeat(index * 50)]]),
  }));
  let batch = 0;
  const its = counts === undefined ? asked.count : { of: () => counts[batch++ % counts.length] ?? 1 };
  const count = its === undefined ? null : { of: its.of, worked: () => {} };
  return { makers: new BatchMakers(pool, { feed: ++feeds, matchingRows, order, columns, compression }, count), parts };
}

/** Of each batch, by itself; memory is used again. */
async function madeBy({ makers, parts }: Makers): Promise<readonly { readonly chunks: number; readonly bytes: Uint8Array }[]> {
  const all = [];
  for (const part of parts) {
    const [message = []] = await made(makers, [part]);
    all.push({ chunks: message.length, bytes: joinedChunks(message).slice() });
    makers.recycle(message);
    expect(message.every(({ byteLength }) => byteLength === 0)).toBe(true);
  }
  makers.close();
  return all;
}

async function made(
  makers: BatchMakers,
  parts: readonly BatchPart[],
  signal = new AbortController().signal,
): Promise<readonly MessageChunks[]> {
  const answer = await makers.make(parts, files, signal);
  if ('lost' in answer) throw new Error(`lost ${answer.lost}`);
  return answer.messages;
}

test.each(['NONE', 'LZ4', 'ZSTD'] as const)('bytes are the same, however many threads make a batch: %s', async (compression) => {
  const pool = openPool(4);
  for (const [lanes, shuffle] of [
    [4, 'WINDOWED'],
    [64, 'WINDOWED'],
    [1, 'NONE'],
  ] as const) {
    const asked = { lanes, shuffle, compression };
    const alone = await madeBy(openMakers(pool, { ...asked, counts: [1] }));
    for (const counts of [[2], [4], [3, 1, 2, 4]]) {
      const split = await madeBy(openMakers(pool, { ...asked, counts }));
      expect(split.map(({ chunks }) => chunks)).toEqual(Array.from({ length: 4 }, (_, batch) => counts[batch % counts.length]));
      for (const [index, { bytes }] of split.entries()) {
        expect(Buffer.compare(bytes, alone[index]?.bytes ?? new Uint8Array())).toBe(0);
      }
    }
  }
});

test('a shuffled feed begins with all threads, one in order with one; runs of batches and small ones are made by one', async () => {
  const { makers, parts } = openMakers(openPool(2));
  expect((await made(makers, parts.slice(0, 1))).map(({ length }) => length)).toEqual([2]);
  expect((await made(makers, parts)).map(({ length }) => length)).toEqual([1, 1, 1, 1]);
  const [part] = parts;
  if (part === undefined) throw new Error('a batch');
  const small = { ...part, span: { ...part.span, to: part.span.from + 2000, rows: 2000 } };
  expect((await made(makers, [small])).map(({ length }) => length)).toEqual([1]);
  makers.close();
  const ordered = openMakers(openPool(2), { shuffle: 'NONE', lanes: 1 });
  expect((await made(ordered.makers, ordered.parts.slice(0, 1))).map(({ length }) => length)).toEqual([1]);
  ordered.makers.close();
});

test('groups whose files are gone are named once for each part, and what is made again when they are back is the same', async () => {
  const { makers, parts } = openMakers(openPool(2));
  const [part] = parts;
  const [file] = files;
  if (part === undefined || file === undefined) throw new Error('a batch');
  const [before = []] = await made(makers, [part]);
  const another = openMakers(openPool(2), { counts: [2] });
  renameSync(file.path, `${file.path} away`);
  const answer = await another.makers.make([part], files, new AbortController().signal);
  renameSync(`${file.path} away`, file.path);
  expect(answer).toEqual({ lost: [0, 0] });
  const [again = []] = await made(another.makers, [part]);
  expect(Buffer.compare(joinedChunks(again), joinedChunks(before))).toBe(0);
  makers.close();
  another.makers.close();
});

test('one that is aborted fails with the reason, and the next is made', async () => {
  const { makers, parts } = openMakers(openPool(2), { counts: [2] });
  const controller = new AbortController();
  const [part] = parts;
  if (part === undefined) throw new Error('a batch');
  const making = made(makers, [part], controller.signal);
  controller.abort(new Error('gone'));
  await expect(making).rejects.toThrow('gone');
  await expect(made(makers, [part], controller.signal)).rejects.toThrow('gone');
  expect((await made(makers, [part]))[0]?.length).toBe(2);
  makers.close();
  await expect(made(makers, [part])).rejects.toThrow(/closed/);
});

test('a thread that dies of its part fails the batch so that it can be tried again, and another takes its place', async () => {
  const { makers, parts } = openMakers(openPool(2, new URL('./dying-maker.ts', import.meta.url)), { counts: [2] });
  const retryable = { code: 'INTERNAL', retryable: true, message: expect.stringMatching(/Resume from the last cursor/) };
  for (const part of parts.slice(0, 3)) await expect(made(makers, [part])).rejects.toMatchObject(retryable);
  // A run is made by the one that lives.
  expect((await made(makers, parts)).length).toBe(4);
  makers.close();
});

test('where the threads are ended, what is being made fails so that it can be tried again, and so does what comes', async () => {
  const pool = openPool(2);
  const { makers, parts } = openMakers(pool, { counts: [2] });
  const retryable = { code: 'INTERNAL', retryable: true, message: expect.stringMatching(/Resume from the last cursor/) };
  const making = made(makers, parts.slice(0, 1));
  await Promise.all([pool.close(), expect(making).rejects.toMatchObject(retryable)]);
  await expect(made(makers, parts.slice(1, 2))).rejects.toMatchObject(retryable);
  makers.close();
});

test('a batch whose blocks are too much in parts is made as a whole, and those behind it are not tried in parts', async () => {
  let asked = 0;
  const of = () => {
    asked++;
    return 2;
  };
  const refused = await madeBy(openMakers(openPool(2, new URL('./refusing-worker.ts', import.meta.url)), { count: { of } }));
  expect(refused.map(({ chunks }) => chunks)).toEqual([1, 1, 1, 1]);
  expect(asked).toBe(1);
  const whole = await madeBy(openMakers(openPool(1)));
  expect(refused.every(({ bytes }, index) => Buffer.compare(bytes, whole[index]?.bytes ?? new Uint8Array()) === 0)).toBe(true);
});
