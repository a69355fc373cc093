import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ask(
    'mutation { createTable(input: { name: "raw.t", columns: [{ name: "n", type: "long" }] }) { table { name } } }',
  );
});
afterAll(() => server.close());

const write = `writeRows(input: { table: "raw.t", mode: APPEND, rows: { json: [{ n: 1 }] } })
  { snapshot { snapshotId table { currentSnapshot { snapshotId } } } }`;

test('all fields of a query see one version of a table, whatever is committed meanwhile', async () => {
  await server.ask(`mutation { ${write} }`);
  let reading = true;
  const writing = (async () => {
    while (reading) await server.ask(`mutation { ${write} }`);
  })();
  const seen = new Set<string>();
  const aliases = Array.from({ length: 10 }, (_, index) => `t${index}: table(name: "raw.t") { rows(first: 1) { snapshotId } }`);
  for (let round = 0; round < 40; round++) {
    const { data, errors } = await server.ask(`{
      first: table(name: "raw.t") { currentSnapshot { snapshotId } }
      ${aliases.join(' ')}
      sql(statement: "SELECT count(*) FROM raw.t") { snapshots { snapshotId } }
      tables(namespace: "raw") { edges { node { currentSnapshot { snapshotId } } } }
    }`);
    expect(errors).toBeUndefined();
    const ids = new Set([
      data.first.currentSnapshot.snapshotId,
      data.sql.snapshots[0].snapshotId,
      data.tables.edges[0].node.currentSnapshot.snapshotId,
      ...aliases.map((_, index) => data[`t${index}`].rows.snapshotId),
    ]);
    expect(ids.size).toBe(1);
    for (const id of ids) seen.add(id);
  }
  reading = false;
  await writing;
  expect(seen.size).toBeGreaterThan(1);
}, 60_000);

test('a mutation sees its own effects, one after the other', async () => {
  const { data } = await server.ask(`mutation { a: ${write} b: ${write} }`);
  for (const { snapshot } of [data.a, data.b]) expect(snapshot.table.currentSnapshot.snapshotId).toBe(snapshot.snapshotId);
  expect(data.a.snapshot.snapshotId).not.toBe(data.b.snapshot.snapshotId);
});
