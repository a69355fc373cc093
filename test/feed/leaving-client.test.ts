import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { arrowType, eventType, subscribe } from './feed-client.ts';
import { inOrder, makeWideTable, trainingBatches } from './wide-table.ts';

/** 64 MB in batches of 2 MB: far more than sockets and buffers between server and client hold. */
const rowCount = 250_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await makeWideTable((query, variables) => server.ask(query, variables), 'raw.wide', 1, rowCount);
});
afterAll(() => server.close());
afterEach(() => vi.restoreAllMocks());

const sqlBatches = `subscription ($statement: String!) { sqlBatches(statement: $statement) { ipc rowCount last } }`;
const statement = 'SELECT * FROM raw.wide';

const scans = [
  ['trainingBatches', arrowType, trainingBatches, inOrder('raw.wide')],
  ['trainingBatches', eventType, trainingBatches, inOrder('raw.wide')],
  ['sqlBatches', arrowType, sqlBatches, { statement }],
  ['sqlBatches', eventType, sqlBatches, { statement }],
] as const;

describe.each(scans)('a scan of %s as %s', (_, accept, query, variables) => {
  function begin(): Promise<IncomingMessage> {
    return subscribe({ origin: server.origin, query, variables, accept });
  }

  it('is freed when its client leaves', async () => {
    const responses = await Promise.all([begin(), begin(), begin()]);
    await vi.waitFor(() => expect(held()).toBe(responses.length), { timeout: 20_000, interval: 20 });
    await Promise.all(responses.map((response) => once(response, 'readable')));
    for (const response of responses) response.destroy();
    await vi.waitFor(() => expect(held()).toBe(0), { timeout: 20_000, interval: 20 });
  });

  it('is freed at its end', async () => {
    for await (const _chunk of await begin());
    await vi.waitFor(() => expect(held()).toBe(0), { timeout: 20_000, interval: 20 });
  });
});

it('is not run ahead of a client that takes nothing', async () => {
  const feeds = server.icecore.trainingFeeds;
  const open = feeds.open.bind(feeds);
  let produced = 0;
  vi.spyOn(feeds, 'open').mockImplementation(async (...request) => {
    const feed = await open(...request);
    async function* counted() {
      for await (const batch of feed.batches) {
        produced++;
        yield batch;
      }
    }
    return { ...feed, batches: counted() };
  });
  const response = await subscribe({
    origin: server.origin,
    query: trainingBatches,
    variables: inOrder('raw.wide'),
    accept: arrowType,
  });
  await once(response, 'readable');
  const inAll = Math.ceil(rowCount / 8192);
  // Another client reads all of it meanwhile, so there was time to run ahead.
  const atFirst = produced;
  for await (const _chunk of await subscribe({
    origin: server.origin,
    query: trainingBatches,
    variables: inOrder('raw.wide'),
    accept: arrowType,
  }));
  const ahead = produced - inAll;
  expect(atFirst).toBeLessThanOrEqual(ahead);
  expect(ahead).toBeLessThan(inAll / 2);
  for await (const _chunk of response);
  expect(produced).toBe(2 * inAll);
});

/** Connections of the engine that are in use, and feeds that are read. */
function held(): number {
  const { trusted, guarded } = server.icecore.duckdb;
  return trusted.leased + guarded.leased + server.icecore.trainingFeeds.counts.open;
}
