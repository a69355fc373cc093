import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordBatchReader } from 'apache-arrow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServerProcess } from '../http/server-process.ts';
import { arrowType, rawBatches, subscribe } from './feed-client.ts';
import { makeWideTable, trainingBatches } from './wide-table.ts';

const rowCount = 40_000;
const busyMachineMs = 3 * 60_000;

let directory: string;
let servers = 0;
const started: ServerProcess[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-restarted-'));
});
afterAll(async () => {
  await Promise.all(started.map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true });
});

/** Over the one store, with an empty cache each time. */
async function startServer(): Promise<ServerProcess> {
  const cache = join(directory, `cache-${servers++}`);
  const server = await ServerProcess.start({ ICECORE_CACHE_DIR: cache }, `sqlite:${directory}/catalog.sqlite`);
  started.push(server);
  return server;
}

function feed({ origin }: ServerProcess, more: object): Promise<IncomingMessage> {
  const input = { source: { table: { name: 'raw.wide' } }, batchSize: 1000, columns: ['c0', 'c9'], ...more };
  return subscribe({ origin, query: trainingBatches, variables: { input }, accept: arrowType });
}

it.each(['NONE', 'WINDOWED', 'FULL'])(
  'a server that is killed in mid-feed and restarted on an empty cache goes on at the next row: %s',
  {
    timeout: busyMachineMs,
  },
  async (shuffle) => {
    const first = await startServer();
    if (servers === 1) await makeWideTable((query, variables) => first.data(query, variables), 'raw.wide', 4, rowCount / 4);
    const order = { shuffle, seed: '5', epoch: 2 };
    const numbers = (batch: { getChild(name: string): Iterable<unknown> | null }) =>
      Array.from(batch.getChild('c0') ?? [], Number);
    const whole = (await rawBatches(await feed(first, order))).flatMap(({ recordBatch }) => numbers(recordBatch));

    const read: number[] = [];
    let cursor: string | undefined;
    const response = await feed(first, order);
    const reader = await RecordBatchReader.from(response);
    for await (const batch of reader) {
      read.push(...numbers(batch));
      cursor = batch.metadata.get('icecore.cursor');
      if (read.length >= 7000) break;
    }
    const gone = response.closed ? Promise.resolve() : once(response, 'close').catch(() => undefined);
    await first.stop();
    await gone;

    const second = await startServer();
    const rest = await rawBatches(await feed(second, { cursor }));
    expect(rest.at(-1)?.metadata.get('icecore.last')).toBe('true');
    expect([...read, ...rest.flatMap(({ recordBatch }) => numbers(recordBatch))]).toEqual(whole);
    expect(whole.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, row) => row * 32));
  },
);
