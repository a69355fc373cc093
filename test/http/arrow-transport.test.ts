import { once } from 'node:events';
import { connect } from 'node:net';
import { RecordBatchReader, tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

const arrow = 'application/vnd.apache.arrow.stream';
const feed =
  'subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { ipc rowCount epoch globalBatch rowsTotal cursor last } }';
const rowsTotal = 2000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ask(
    'mutation { createTable(input: { name: "raw.numbers", columns: [{ name: "n", type: "long" }, { name: "text", type: "string" }] }) { table { id } } }',
  );
  const rows = Array.from({ length: rowsTotal }, (_, n) => ({ n: String(n), text: 'x'.repeat(n % 50) }));
  const answer = await server.ask('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
    input: { table: 'raw.numbers', rows: { json: rows }, mode: 'APPEND' },
  });
  expect(answer.errors).toBeUndefined();
});
afterAll(() => server.close());

function subscribe(query: string, variables: unknown, accept: string, signal?: AbortSignal): Promise<Response> {
  return fetch(`${server.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query, variables }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function feedInput(more: Readonly<Record<string, unknown>> = {}) {
  return { input: { source: { table: { name: 'raw.numbers' } }, batchSize: 256, ...more } };
}

describe('subscriptions of batches', () => {
  it('travel as one raw Arrow stream where the client accepts it', async () => {
    const response = await subscribe(feed, feedInput(), arrow);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, arrow]);
    if (response.body === null) throw new Error('no body');
    const reader = await RecordBatchReader.from(response.body);
    await reader.open();
    expect(reader.schema.metadata.get('icecore.rows-total')).toBe(String(rowsTotal));
    expect(reader.schema.metadata.get('icecore.epoch')).toBe('0');
    expect(reader.schema.metadata.get('icecore.snapshot-id')).toMatch(/^\d+$/);
    const seen: bigint[] = [];
    const marks: (readonly [string | undefined, string | undefined])[] = [];
    for await (const batch of reader) {
      seen.push(...((batch.getChild('n')?.toArray() as BigInt64Array | undefined) ?? []));
      marks.push([batch.metadata.get('icecore.global-batch'), batch.metadata.get('icecore.last')]);
      expect(batch.metadata.get('icecore.cursor')).toBeTruthy();
    }
    expect(seen.toSorted((a, b) => Number(a - b))).toEqual(Array.from({ length: rowsTotal }, (_, n) => BigInt(n)));
    expect(marks.map(([batch]) => batch)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(marks.map(([, last]) => last)).toEqual([...Array<string>(7).fill('false'), 'true']);
  });

  it('travel as server-sent events with the same rows in the same order', async () => {
    const response = await subscribe(feed, feedInput({ seed: '7' }), 'text/event-stream');
    const text = await response.text();
    const events = [...text.matchAll(/^data: (\{.*\})$/gm)].map((match) => JSON.parse(match[1] ?? '').data.trainingBatches);
    expect(events.map(({ last }) => last)).toEqual([...Array<boolean>(7).fill(false), true]);
    const fromEvents = events.flatMap(({ ipc }) => [
      ...(tableFromIPC(Buffer.from(ipc, 'base64')).getChild('n')?.toArray() ?? []),
    ]);
    const raw = tableFromIPC(new Uint8Array(await (await subscribe(feed, feedInput({ seed: '7' }), arrow)).arrayBuffer()));
    expect(fromEvents).toEqual([...(raw.getChild('n')?.toArray() ?? [])]);
    const resumed = await subscribe(feed, feedInput({ seed: '7', cursor: events[3].cursor }), arrow);
    const rest = tableFromIPC(new Uint8Array(await resumed.arrayBuffer()));
    expect([...(rest.getChild('n')?.toArray() ?? [])]).toEqual(fromEvents.slice(4 * 256));
  });

  it('give the rows of a SELECT', async () => {
    const query =
      'subscription { sqlBatches(statement: "SELECT n, text FROM raw.numbers ORDER BY n") { rowCount last snapshots { tableName } } }';
    const table = tableFromIPC(new Uint8Array(await (await subscribe(query, {}, arrow)).arrayBuffer()));
    expect([table.numRows, table.getChild('n')?.get(1999)]).toEqual([rowsTotal, 1999n]);
    const none = 'subscription { sqlBatches(statement: "SELECT n FROM raw.numbers WHERE n < 0") { last } }';
    expect(tableFromIPC(new Uint8Array(await (await subscribe(none, {}, arrow)).arrayBuffer())).numRows).toBe(0);
  });

  it('answer early failures as JSON with a status', async () => {
    const refusals: readonly (readonly [string, unknown, number, string])[] = [
      [feed, { input: { source: { table: { name: 'raw.nothing' } } } }, 404, 'NOT_FOUND'],
      [feed, feedInput({ batchSize: 0 }), 400, 'BAD_USER_INPUT'],
      [feed, feedInput({ columns: ['nope'] }), 400, 'BAD_USER_INPUT'],
      ['subscription { sqlBatches(statement: "DROP TABLE raw.numbers") { last } }', {}, 400, 'BAD_USER_INPUT'],
      ['subscription { nonsense }', {}, 400, 'BAD_USER_INPUT'],
      ['subscription { runProgress(id: "00000000-0000-7000-8000-000000000000") { id } }', {}, 404, 'NOT_FOUND'],
      ['{ tables { totalCount } }', {}, 406, 'BAD_USER_INPUT'],
    ];
    for (const [query, variables, status, code] of refusals) {
      const response = await subscribe(query, variables, arrow);
      const body = (await response.json()) as { readonly errors: readonly { readonly extensions: { readonly code: string } }[] };
      expect([response.status, body.errors[0]?.extensions.code], query).toEqual([status, code]);
    }
  });

  it('reset the connection where they fail in mid-stream', async () => {
    const query = `subscription { sqlBatches(statement: "SELECT CASE WHEN n = 1999 THEN CAST(text || 'x' AS INTEGER) ELSE 1 END AS n FROM (SELECT a.n, a.text FROM raw.numbers a, raw.numbers b ORDER BY a.n)") { last } }`;
    const response = await subscribe(query, {}, arrow);
    if (response.status === 200) await expect(response.arrayBuffer()).rejects.toThrow();
    else expect(response.status).toBe(400);
  });

  it('do not grow the server for a client that stalls, and end with one that leaves', async () => {
    const statement = "SELECT a.n, repeat('y', 200) AS text FROM raw.numbers a, raw.numbers b, raw.numbers c";
    const query = `subscription { sqlBatches(statement: "${statement}") { last } }`;
    const body = JSON.stringify({ query });
    const { hostname, port } = new URL(server.origin);
    const socket = connect(Number(port), hostname);
    const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-type: application/json\r\naccept: ${arrow}\r\ncontent-length: ${body.length}\r\n\r\n`;
    socket.write(head + body);
    await once(socket, 'readable');
    socket.pause();
    const before = server.icecore.duckdb.guarded.leased;
    expect(before).toBe(1);
    let grown = process.memoryUsage().rss;
    const base = grown;
    for (let looks = 0; looks < 20; looks++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      grown = Math.max(grown, process.memoryUsage().rss);
    }
    // 8 billion rows of 200 bytes: anything that does not wait for the client would be far beyond this.
    expect(grown - base).toBeLessThan(400 * 1024 * 1024);
    socket.destroy();
    await expect.poll(() => server.icecore.duckdb.guarded.leased, { timeout: 10_000 }).toBe(0);
  });
});
