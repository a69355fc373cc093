import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CompressionType, compressionRegistry } from 'apache-arrow';
import fc from 'fast-check';
import { decompressFrameSync } from 'lz4-napi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerZstd } from '../../src/arrow/zstd-codec.ts';
import { systemClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config.ts';
import { HttpServer } from '../../src/http/server.ts';
import { Icecore } from '../../src/icecore.ts';
import { parseFeedCursor } from '../../src/training/feed/feed-cursor.ts';
import type { FeedOrder, FeedShare } from '../../src/training/feed/feed-input.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { arrowType, eventBatch, events, eventType, type ReceivedBatch, rawBatches, subscribe } from './feed-client.ts';
import { type ExpectedBatch, ModelledTable } from './modelled-table.ts';

registerZstd();
compressionRegistry.set(CompressionType.LZ4_FRAME, {
  decode: (bytes: Uint8Array) => decompressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
});

const query = `subscription ($input: TrainingFeedInput!) {
  trainingBatches(input: $input) { ipc rowCount epoch globalBatch rowsTotal cursor last }
}`;

let server: TestServer;
let small: ModelledTable;
let large: ModelledTable;

beforeAll(async () => {
  server = await startTestServer();
  small = await ModelledTable.create(server, 'raw.small');
  await small.append(0, 700);
  await small.appendGroups(700, 7700);
  await small.append(7700, 7701);
  await small.delete((n) => n % 7 === 3, 'n % 7 = 3');
  await small.upsert(650, 760);
  await small.delete((n) => n >= 2748 && n < 4796, 'n >= 2748 AND n < 4796');
  // Of two blocks.
  large = await ModelledTable.create(server, 'raw.large');
  await large.append(0, 70_000);
  await large.appendGroups(70_000, 80_000);
});
afterAll(() => server.close());

interface Filter {
  readonly input: { readonly where?: string; readonly split?: string };
  readonly matches: (n: number) => boolean;
}

const filters: readonly Filter[] = [
  { input: {}, matches: () => true },
  { input: { where: 'n < 130' }, matches: (n) => n < 130 },
  { input: { where: 'share IS NULL AND n >= 600' }, matches: (n) => n % 5 === 0 && n >= 600 },
  { input: { split: 'test' }, matches: (n) => n % 4 === 0 },
  { input: { where: "n < 900 OR text = 'row 7700'", split: 'train' }, matches: (n) => (n < 900 || n === 7700) && n % 4 !== 0 },
  { input: { where: 'n < 0' }, matches: () => false },
];

const orders: fc.Arbitrary<FeedOrder> = fc.record({
  shuffle: fc.constantFrom('NONE' as const, 'WINDOWED' as const, 'WINDOWED' as const, 'FULL' as const),
  seed: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  epoch: fc.nat({ max: 2 ** 31 - 1 }),
  lanes: fc.constantFrom(1, 2, 8, 64),
});

const shares = fc.record({
  batchSize: fc.oneof(fc.integer({ min: 60, max: 400 }), fc.constantFrom(64, 1024, 65_536)),
  worldSize: fc.oneof(fc.constantFrom(1, 2, 4), fc.integer({ min: 1, max: 5 })),
  tail: fc.constantFrom('SHORT' as const, 'DROP' as const),
});

const ways = fc.record({
  columns: fc.constantFrom(['n'], ['n', 'text'], ['tags', 'share', 'n'], ['text', 'n', 'split', 'share', 'tags']),
  compression: fc.constantFrom('NONE', 'LZ4', 'ZSTD'),
  accept: fc.constantFrom(arrowType, arrowType, eventType),
});

interface Asked {
  readonly input: object;
  readonly accept: string;
  readonly origin?: string;
  /** Turns of the event loop between two pieces of the response. */
  readonly slowness?: number;
}

async function read({ input, accept, origin = server.origin, slowness = 0 }: Asked): Promise<readonly ReceivedBatch[]> {
  const response = await subscribe({ origin, query, variables: { input }, accept });
  if (accept === arrowType) return await rawBatches(slowness === 0 ? response : slowly(response, slowness));
  const sent = await events<{ readonly data: { readonly trainingBatches: { readonly ipc: string } } }>(response);
  return sent.map(({ data }) => eventBatch(data.trainingBatches.ipc));
}

/** A response whose pieces are taken with a rest after each. */
async function* slowly(response: IncomingMessage, turns: number): AsyncGenerator<Uint8Array, void> {
  for await (const piece of response) {
    yield piece as Uint8Array;
    for (let turn = 0; turn < turns; turn++) await setImmediate();
  }
}

function seen({ recordBatch, metadata }: ReceivedBatch): ExpectedBatch {
  return {
    globalBatch: Number(metadata.get('icecore.global-batch')),
    end: Number(parseFeedCursor(metadata.get('icecore.cursor') ?? '').position),
    last: metadata.get('icecore.last') === 'true',
    rows: Array.from(recordBatch.getChild('n') ?? [], Number),
  };
}

/** Each row's other cells are its own. */
function expectWholeRows(batches: readonly ReceivedBatch[]): void {
  for (const { recordBatch } of batches) {
    const rows = recordBatch.toArray() as readonly { toJSON(): Readonly<Record<string, unknown>> }[];
    for (const row of rows) {
      const { n, ...cells } = row.toJSON();
      const number = Number(n);
      const all: Readonly<Record<string, unknown>> = {
        text: `row ${number}`,
        share: number % 5 === 0 ? null : number / 8,
        split: number % 4 === 0 ? 'test' : 'train',
        tags: [BigInt(number), null],
      };
      for (const [name, cell] of Object.entries(cells)) {
        const plain = name === 'tags' ? Array.from(cell as Iterable<unknown>) : cell;
        if (JSON.stringify(plain, text) !== JSON.stringify(all[name], text)) expect(plain).toEqual(all[name]);
      }
    }
  }
}

const text = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
const cases: fc.Arbitrary<Case> = fc.record({ order: orders, share: shares, way: ways, filter: fc.constantFrom(...filters) });

interface Case {
  readonly order: FeedOrder;
  readonly share: Omit<FeedShare, 'rank'>;
  readonly way: { readonly columns: readonly string[]; readonly compression: string; readonly accept: string };
  readonly filter: Filter;
}

function inputOf(table: ModelledTable, { order, share, way, filter }: Case, rank: number): Asked {
  const { columns, compression, accept } = way;
  const { seed, ...rest } = order;
  const input = { source: { table: { name: table.name } }, ...filter.input, ...rest, ...share };
  return { input: { ...input, seed: String(seed), columns, compression, rank }, accept };
}

describe('an epoch over HTTP', { timeout: 5 * 60_000 }, () => {
  it('hands out each live matching row once, in the order of src/training/order, whoever reads it and however', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (chosen) => {
        const { order, share, filter } = chosen;
        const all: number[] = [];
        for (let rank = 0; rank < share.worldSize; rank++) {
          const received = await read(inputOf(small, chosen, rank));
          expect(received.map(seen)).toEqual(small.batches(filter.matches, order, { ...share, rank }));
          expectWholeRows(received);
          all.push(...received.flatMap((batch) => seen(batch).rows));
        }
        const matching = small.matching(filter.matches).flat();
        if (share.tail === 'SHORT') expect(sorted(all)).toEqual(sorted(matching));
        else expect(new Set(all).size).toBe(all.length);
      }),
      { numRuns: 20 },
    );
  });

  it('goes on from any cursor with the very rows that remain, with another world size, batch size and columns', async () => {
    const resumed = fc.record({ chosen: cases, cut: fc.nat({ max: 30 }), share: shares, way: ways });
    await fc.assert(
      fc.asyncProperty(resumed, async ({ chosen, cut, share, way }) => {
        const { order, filter } = chosen;
        const before = await read(inputOf(small, chosen, 0));
        const cursor = before[Math.min(cut, before.length - 1)]?.metadata.get('icecore.cursor') ?? '';
        const { position } = parseFeedCursor(cursor);
        for (let rank = 0; rank < share.worldSize; rank++) {
          const { columns, compression, accept } = way;
          const input = {
            source: { table: { name: small.name } },
            ...filter.input,
            ...share,
            rank,
            columns,
            compression,
            cursor,
          };
          const received = await read({ input, accept });
          expect(received.map(seen)).toEqual(small.batches(filter.matches, order, { ...share, rank }, Number(position)));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('is the same for groups of several blocks', async () => {
    const share = { batchSize: 4096, worldSize: 2, tail: 'SHORT' } as const;
    const way = { columns: ['n', 'text'], compression: 'NONE', accept: arrowType };
    for (const lanes of [1, 8]) {
      const order = { shuffle: 'WINDOWED', seed: 11n, epoch: 2, lanes } as const;
      for (const filter of filters.slice(0, 1)) {
        for (const rank of [0, 1]) {
          const received = await read(inputOf(large, { order, share, way, filter }, rank));
          expect(received.map(seen)).toEqual(large.batches(filter.matches, order, { ...share, rank }));
        }
      }
    }
  });

  it('is the same for readers at the same time, of one order and of others, fast and slow', async () => {
    const readers = fc.array(fc.record({ chosen: cases, isLarge: fc.boolean(), slowness: fc.nat({ max: 64 }) }), {
      minLength: 3,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(readers, async (all) => {
        const reads = all.map(async ({ chosen, isLarge, slowness }) => {
          const table = isLarge ? large : small;
          const share = { ...chosen.share, batchSize: Math.max(chosen.share.batchSize, isLarge ? 1500 : 60), rank: 0 };
          const { input, accept } = inputOf(table, { ...chosen, share }, 0);
          const received = await read({ input, accept, slowness });
          expect(received.map(seen)).toEqual(table.batches(chosen.filter.matches, chosen.order, share));
          expectWholeRows(received);
        });
        await Promise.all(reads);
      }),
      { numRuns: 5 },
    );
  });

  it('is the same when its cache is gone or damaged, before it and in the midst of it, and of another server', async () => {
    const order = { shuffle: 'WINDOWED', seed: 3n, epoch: 0, lanes: 8 } as const;
    const share = { batchSize: 500, worldSize: 1, tail: 'SHORT' } as const;
    const filter: Filter = { input: { where: 'n >= 60000' }, matches: (n) => n >= 60_000 };
    const way = { columns: ['n', 'share'], compression: 'NONE', accept: arrowType };
    const expected = large.batches(filter.matches, order, { ...share, rank: 0 });
    const asked = inputOf(large, { order, share, way, filter }, 0);
    const cache = join(server.directory, 'cache', 'feeds');
    const remove = () => rm(cache, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
    await remove();
    expect((await read(asked)).map(seen)).toEqual(expected);
    expect(await damage(cache)).toBeGreaterThan(0);
    expect((await read(asked)).map(seen)).toEqual(expected);
    for (let times = 0; times < 12; times++) {
      const [again] = await Promise.all([read(asked), remove()]);
      expect(again.map(seen)).toEqual(expected);
    }
    const other = await startOther();
    try {
      expect((await read({ ...asked, origin: other.origin })).map(seen)).toEqual(expected);
    } finally {
      await other.close();
    }
  });
});

/** Turns a bit over in the middle of each file below a folder; gives how many there are. */
async function damage(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  for (const path of files) {
    const bytes = await readFile(path);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 1;
    await writeFile(path, bytes);
  }
  return files.length;
}

/** Another server over the same store, whose cache is empty. */
async function startOther(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const config = parseConfig([], {
    ICECORE_CATALOG: `sqlite:${server.directory}/catalog.sqlite`,
    ICECORE_CACHE_DIR: join(server.directory, 'other-cache'),
  });
  const icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 }, systemClock);
  const http = await HttpServer.start(icecore, { host: '127.0.0.1', port: 0 });
  return {
    origin: http.origin,
    async close() {
      await http.close();
      await icecore.close();
    },
  };
}

function sorted(rows: readonly number[]): readonly number[] {
  return [...rows].sort((a, b) => a - b);
}
