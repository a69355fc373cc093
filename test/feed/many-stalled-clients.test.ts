import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { RecordBatchReader } from 'apache-arrow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { feedEncodedBytesMax } from '../../src/limits.ts';
import { ServerProcess } from '../http/server-process.ts';
import { arrowType, subscribe } from './feed-client.ts';
import { makeWideTable, trainingBatches, wideRowBytes } from './wide-table.ts';

const clients = 100;
const rowCount = 200_000;
/** Batches of 6 MB: a hundred clients with one in hand and one made ahead would take 1.3 GB. */
const batchSize = 25_000;
const mebibyte = 1024 * 1024;
const busyMachineMs = 5 * 60_000;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
  await makeWideTable((query, variables) => server.data(query, variables), 'raw.wide', 2, rowCount / 2);
}, busyMachineMs);
afterAll(() => server.stop());

function feed(seed: number): Promise<IncomingMessage> {
  const input = { source: { table: { name: 'raw.wide' } }, shuffle: 'WINDOWED', seed: String(seed), batchSize };
  return subscribe({ origin: server.origin, query: trainingBatches, variables: { input }, accept: arrowType });
}

/** A digest of all cells. */
async function cells(response: IncomingMessage): Promise<string> {
  const hash = createHash('sha256');
  let rows = 0;
  for await (const batch of await RecordBatchReader.from(response)) {
    rows += batch.numRows;
    for (const { values } of batch.data.children) hash.update(values as BigInt64Array);
  }
  expect(rows).toBe(rowCount);
  return hash.digest('hex');
}

it('a hundred clients that stop reading take the memory of some; others are served, and they miss nothing when they read on', {
  timeout: busyMachineMs,
}, async () => {
  const expected = [await cells(await feed(0)), await cells(await feed(1))];
  const before = server.memory().residentBytes;
  const stalled: IncomingMessage[] = [];
  for (let client = 0; client < clients; client++) {
    const response = await feed(client % 2);
    await once(response, 'readable');
    response.pause();
    stalled.push(response);
  }
  const bytesMax = 2 * clients * batchSize * wideRowBytes;
  const grown = () => server.memory().residentBytes - before;
  // What is held of batches, a small piece for each client, and slack of the allocators.
  const allowed = feedEncodedBytesMax + clients * 2 * mebibyte + 256 * mebibyte;
  expect(allowed).toBeLessThan(bytesMax);
  expect(grown()).toBeLessThan(allowed);
  const others = await Promise.all([feed(0), feed(1)]);
  expect(await Promise.all(others.map(cells))).toEqual(expected);
  expect(grown()).toBeLessThan(allowed);
  for (const client of [0, 1, 50, 99]) expect(await cells(stalled[client] as IncomingMessage)).toBe(expected[client % 2]);
  expect(grown()).toBeLessThan(allowed);
  for (const response of stalled) response.destroy();
});
