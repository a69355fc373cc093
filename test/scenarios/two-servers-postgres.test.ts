import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PostgresServer } from '../environment/postgres.ts';
import { eventPayloads } from '../http/event-stream.ts';
import { ServerProcess } from '../http/server-process.ts';

const writers = 8;
const writesOfEach = 8;
/** So many writes through the second server are acknowledged before it is killed. */
const killedAfter = 13;
const tables = ['raw.left', 'raw.right'];

let postgres: PostgresServer;
let warehouse: string;
const servers: ServerProcess[] = [];

async function startServer(database: string): Promise<ServerProcess> {
  const environment = { ICECORE_WAREHOUSE: warehouse, ICECORE_SIGNING_KEY: join(warehouse, '..', 'signing-key.pem') };
  const server = await ServerProcess.start(environment, postgres.uri(database));
  servers.push(server);
  return server;
}

beforeAll(async () => {
  postgres = await PostgresServer.start();
  warehouse = join(await mkdtemp(join(tmpdir(), 'icecore-two-')), 'warehouse');
});

afterAll(async () => {
  for (const server of servers) await server.stop();
  await postgres.stop();
  await rm(join(warehouse, '..'), { recursive: true, force: true });
});

const appending = `mutation ($table: String!, $rows: [JSON!], $key: String!) {
  writeRows(input: { table: $table, rows: { json: $rows }, idempotencyKey: $key }) { snapshot { snapshotId } } }`;

test('two servers on one Postgres, eight writers through both, one killed: every acknowledged row is there, once', async () => {
  const database = await postgres.createDatabase();
  const [first, second] = await Promise.all([startServer(database), startServer(database)]);
  for (const name of tables) {
    await first.data(`mutation { createTable(input: { name: "${name}", columns: [
      { name: "writer", type: "int" }, { name: "number", type: "int" }] }) { table { id } } }`);
  }
  const left = new AbortController();
  const watched = await Promise.all(
    tables.map(async (table) => {
      const { writeRows } = await second.data(appending, { table, rows: [{ writer: -1, number: 0 }], key: table });
      return await watch(first, table, writeRows.snapshot.snapshotId, left.signal);
    }),
  );

  let acknowledgedBySecond = 0;
  const acknowledged: string[] = [];
  let killed: Promise<void> | null = null;
  /** One row; where the server is gone, again under the same key through the other one, as a client would. */
  const append = async (writer: number, number: number): Promise<void> => {
    const table = tables[number % tables.length] ?? '';
    const variables = { table, rows: [{ writer, number }], key: `${writer}/${number}` };
    const server = writer % 2 === 0 || killed !== null ? first : second;
    const snapshotId = await server
      .data(appending, variables)
      .then((data) => {
        if (server === second) acknowledgedBySecond += 1;
        return data.writeRows.snapshot.snapshotId;
      })
      .catch(async (error: unknown) => {
        if (server === first || killed === null) throw error;
        return (await first.data(appending, variables)).writeRows.snapshot.snapshotId;
      });
    acknowledged.push(`${table} ${snapshotId}`);
    if (acknowledgedBySecond >= killedAfter) killed ??= second.stop();
  };
  /** A property of a table, set through the REST catalog; where the server is gone, through the other one. */
  const setProperty = async (writer: number, number: number): Promise<void> => {
    const server = writer % 2 === 0 || killed !== null ? first : second;
    const change = { updates: { [`from-${writer}-${number}`]: String(number) } };
    await commitOverRest(server, change).catch(async (error: unknown) => {
      if (server === first || killed === null) throw error;
      await commitOverRest(first, change);
    });
  };
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let number = 0; number < writesOfEach; number += 1) {
        await append(writer, number);
        if (writer < 2) await setProperty(writer, number);
      }
    }),
  );
  expect(killed).not.toBeNull();
  await killed;

  // A third server, which was not there, finds the same.
  const third = await startServer(database);
  for (const server of [first, third]) {
    const { sql } = await server.data(
      `{ sql(statement: "SELECT * FROM raw.left UNION ALL SELECT * FROM raw.right ORDER BY 1, 2") { rows } }`,
    );
    const written = Array.from({ length: writers * writesOfEach }, (_, at) => at);
    expect(sql.rows).toEqual([
      ...tables.map(() => ({ writer: -1, number: 0 })),
      ...written.map((at) => ({ writer: Math.floor(at / writesOfEach), number: at % writesOfEach })),
    ]);
  }
  const { metadata } = await commitOverRest(third, { updates: {} });
  const set = Object.entries(metadata.properties).filter(([name]) => name.startsWith('from-'));
  expect(set).toHaveLength(2 * writesOfEach);
  // What was recorded through three servers is one chain.
  const { table } = await third.data('{ table(name: "raw.left") { currentSnapshot { id } } }');
  const { auditTrail } = await third.data('query ($of: ID!) { auditTrail(of: $of) { chain { consistent firstFault } } }', {
    of: table.currentSnapshot.id,
  });
  expect(auditTrail.chain).toEqual({ consistent: true, firstFault: null });
  // The first heard of each snapshot, also of those made through the second.
  const made = new Set(acknowledged);
  expect(made.size).toBe(writers * writesOfEach);
  for (const [index, table] of tables.entries()) {
    const expected = acknowledged.filter((entry) => entry.startsWith(`${table} `)).map((entry) => entry.split(' ')[1]);
    const seen = new Set<string>();
    const events = watched[index];
    while (events !== undefined && seen.size < expected.length) seen.add((await events.next()).value ?? '');
    expect([...seen].toSorted()).toEqual(expected.toSorted());
  }
  left.abort();
});

/** A commit to `raw.left` as an engine makes it. Gives the table as it is then. */
async function commitOverRest(
  server: ServerProcess,
  change: { readonly updates: Readonly<Record<string, string>> },
): Promise<{ readonly metadata: { readonly properties: Readonly<Record<string, string>> } }> {
  const response = await fetch(`${server.origin}/iceberg/v1/namespaces/raw/tables/left`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requirements: [], updates: [{ action: 'set-properties', ...change }] }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as { readonly metadata: { readonly properties: Readonly<Record<string, string>> } };
}

/** The ids of a table's snapshots after one, as a server tells of them from now on. */
async function watch(
  server: ServerProcess,
  table: string,
  after: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<string, void, undefined>> {
  const query = `subscription { snapshotCommitted(table: "${table}", afterSnapshotId: "${after}") { snapshotId } }`;
  const response = await fetch(`${server.origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
    signal,
  });
  const { body } = response;
  if (body === null) throw new Error('a subscription has no answer');
  // Where a test fails it ends without a reader, which is no failure of its own.
  return snapshotIds(Readable.fromWeb(body as ReadableStream<Uint8Array>).on('error', () => undefined));
}

interface Payload {
  readonly data: { readonly snapshotCommitted: { readonly snapshotId: string } };
}

async function* snapshotIds(response: Readable): AsyncGenerator<string, void, undefined> {
  for await (const { data } of eventPayloads<Payload>(response)) yield data.snapshotCommitted.snapshotId;
}
