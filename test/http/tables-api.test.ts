import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { localCaller } from '../../src/access/local-caller.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

async function data(query: string, variables: Readonly<Record<string, unknown>> = {}) {
  const answer = await server.ask(query, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

const create = `mutation ($input: CreateTableInput!) { createTable(input: $input) { table { id name uuid kind formatVersion } } }`;
const write = `mutation ($input: WriteRowsInput!) {
  writeRows(input: $input) { rowsAdded rowsRemoved snapshot { id snapshotId operation committedAt table { name } } }
}`;

describe('tables', () => {
  it('are created, written, read, planned and queried', async () => {
    const columns = [
      { name: 'day', type: 'date' },
      { name: 'airport', type: 'string', required: true },
      { name: 'delay', type: 'double' },
      { name: 'count', type: 'long' },
    ];
    const created = await data(create, {
      input: { name: 'raw.delays', columns, partitionBy: [{ column: 'day' }], properties: { owner: 'ops' } },
    });
    expect(created.createTable.table).toMatchObject({ name: 'raw.delays', kind: 'TABLE', formatVersion: 2 });

    const rows = [
      { day: '2001-01-01', airport: 'ABQ', delay: 3.5, count: '9007199254740993' },
      { day: '2001-01-01', airport: 'ATL', delay: 'NaN', count: '2' },
      { day: '2001-01-02', airport: 'ABQ', delay: null, count: null },
    ];
    const input = { table: 'raw.delays', rows: { json: rows }, mode: 'APPEND', idempotencyKey: 'first' };
    const written = (await data(write, { input })).writeRows;
    expect(written).toMatchObject({
      rowsAdded: '3',
      rowsRemoved: '0',
      snapshot: { operation: 'append', table: { name: 'raw.delays' } },
    });

    const again = (await data(write, { input })).writeRows;
    expect(again).toEqual(written);
    const other = await server.ask(write, { input: { ...input, rows: { json: [rows[0]] } } });
    expect(other.errors?.[0]?.extensions.code).toBe('CONFLICT');

    const read = await data(`{
      table(name: "raw.delays") {
        columns { fieldId name type required statistics { rowCount nullCount min max } }
        partitionFields { name column transform }
        rows(where: "day = DATE '2001-01-01'", select: ["airport", "delay", "count"]) { snapshotId rows hasNextPage columns { name } }
        scanPlan(where: "day = DATE '2001-01-01'") { filesTotal filesMatched rowsMatched files { edges { node { path partition recordCount } } } }
        snapshots { totalCount edges { node { snapshotId summary parent { snapshotId } refs { name type } producedBy { id } } } }
        refs { edges { node { name type snapshot { snapshotId } } } }
      }
      tables(namespace: "raw") { edges { node { name } } pageInfo { hasNextPage } }
      sql(statement: "SELECT airport, count(*) AS n FROM raw.delays GROUP BY ALL ORDER BY airport") { columns { name type } rows snapshots { tableName snapshotId } truncated }
    }`);
    expect(read.table.rows.rows).toEqual([
      { airport: 'ABQ', delay: 3.5, count: '9007199254740993' },
      { airport: 'ATL', delay: 'NaN', count: '2' },
    ]);
    expect(read.table.scanPlan).toMatchObject({ filesTotal: '2', filesMatched: '1', rowsMatched: '2' });
    expect(read.table.scanPlan.files.edges[0].node.partition).toEqual({ day: '2001-01-01' });
    expect(read.table.snapshots.totalCount).toBe('1');
    expect(read.tables.edges.map((edge: { node: { name: string } }) => edge.node.name)).toEqual(['raw.delays']);
    expect(read.sql.rows).toEqual([
      { airport: 'ABQ', n: '2' },
      { airport: 'ATL', n: '1' },
    ]);
    expect(read.sql.snapshots).toEqual([{ tableName: 'raw.delays', snapshotId: written.snapshot.snapshotId }]);

    const byId = await data(`query ($id: ID!) { node(id: $id) { __typename id ... on Snapshot { snapshotId } } }`, {
      id: written.snapshot.id,
    });
    expect(byId.node).toEqual({ __typename: 'Snapshot', id: written.snapshot.id, snapshotId: written.snapshot.snapshotId });
  });

  it('are changed, tagged, rolled back and dropped', async () => {
    await data(create, { input: { name: 'raw.airports', columns: [{ name: 'iata', type: 'string' }] } });
    const first = (await data(write, { input: { table: 'raw.airports', rows: { json: [{ iata: 'ABQ' }] }, mode: 'APPEND' } }))
      .writeRows;
    const altered = await data(
      `mutation ($input: AlterTableInput!) { alterTable(input: $input) { table { columns { name type doc } properties } } }`,
      {
        input: {
          name: 'raw.airports',
          changes: [
            { addColumn: { name: 'city', type: 'string', doc: 'Where it is' } },
            { renameColumn: { from: 'iata', to: 'code' } },
            { setProperties: { comment: 'airports' } },
          ],
        },
      },
    );
    expect(altered.alterTable.table.columns).toEqual([
      { name: 'code', type: 'string', doc: null },
      { name: 'city', type: 'string', doc: 'Where it is' },
    ]);
    await data(write, {
      input: {
        table: 'raw.airports',
        rows: { sql: "SELECT 'ATL' AS code, 'Atlanta' AS city FROM raw.airports" },
        mode: 'APPEND',
      },
    });
    const tag = await data(
      `mutation ($input: SetSnapshotRefInput!) { setSnapshotRef(input: $input) { ref { name type maxRefAge snapshot { snapshotId } } } }`,
      { input: { table: 'raw.airports', name: 'first', type: 'TAG', snapshotId: first.snapshot.snapshotId, maxRefAge: 'P7D' } },
    );
    expect(tag.setSnapshotRef.ref).toEqual({
      name: 'first',
      type: 'TAG',
      maxRefAge: 'P7D',
      snapshot: { snapshotId: first.snapshot.snapshotId },
    });
    const at = await data(`{ table(name: "raw.airports") {
      then: rows(asOf: { ref: "first" }) { rows }
      now: rows { rows }
      snapshot(asOf: { timestamp: "1999-01-01T00:00:00Z" }) { id }
    } }`);
    expect(at.table.then.rows).toEqual([{ iata: 'ABQ' }]);
    expect(at.table.now.rows).toHaveLength(2);
    expect(at.table.snapshot).toBeNull();
    const back = await data(
      `mutation ($input: RollbackTableInput!) { rollbackTable(input: $input) { snapshot { snapshotId } } }`,
      {
        input: { table: 'raw.airports', to: { ref: 'first' } },
      },
    );
    expect(back.rollbackTable.snapshot.snapshotId).toBe(first.snapshot.snapshotId);
    const dropped = await data(`mutation { dropTable(input: { name: "raw.airports", purge: true }) { name } }`);
    expect(dropped.dropTable.name).toBe('raw.airports');
    expect((await data(`{ table(name: "raw.airports") { id } }`)).table).toBeNull();
  });

  it('refuse bad input with a code and a message that helps', async () => {
    const refusals: readonly (readonly [string, string, RegExp])[] = [
      ['{ table(name: "flights") { id } }', 'BAD_USER_INPUT', /namespace\.table/],
      ['{ table(name: "raw.delays") { rows(select: ["delai"]) { rows } } }', 'BAD_USER_INPUT', /delai/],
      ['{ table(name: "raw.delays") { rows(asOf: { snapshotId: "1" }) { rows } } }', 'NOT_FOUND', /no snapshot 1/],
      ['{ table(name: "raw.delays") { rows(first: 100000) { rows } } }', 'BAD_USER_INPUT', /page/],
      ['{ sql(statement: "SELECT * FROM raw.delay") { rows } }', 'NOT_FOUND', /raw\.delays/],
      ['{ sql(statement: "SELECT * FROM read_csv(\'/etc/passwd\')") { rows } }', 'BAD_USER_INPUT', /read_csv/],
      ['{ sql(statement: "ATTACH \'x.db\'") { rows } }', 'BAD_USER_INPUT', /SELECT/],
      ['{ sql(statement: "SET threads = 1") { rows } }', 'BAD_USER_INPUT', /SELECT/],
      ['{ node(id: "nonsense") { id } }', 'BAD_USER_INPUT', /no id/],
      [
        'mutation { createTable(input: { name: "icecore.mine", columns: [{ name: "a", type: "long" }] }) { table { id } } }',
        'FORBIDDEN',
        /icecore/,
      ],
      [
        'mutation { createTable(input: { name: "raw.bad", columns: [{ name: "a", type: "text" }] }) { table { id } } }',
        'BAD_USER_INPUT',
        /text/,
      ],
      [
        'mutation { eraseRows(input: { table: "raw.delays", where: "true", reason: "x" }) { run { id } } }',
        'FAILED_PRECONDITION',
        /not built/,
      ],
      [
        'mutation { writeRows(input: { table: "raw.delays", mode: APPEND, rows: { json: [{ day: "2001-01-01", airport: 7 }] } }) { rowsAdded } }',
        'BAD_USER_INPUT',
        /airport/,
      ],
      [
        'mutation { writeRows(input: { table: "raw.delays", mode: APPEND, rows: { file: "/etc/passwd" } }) { rowsAdded } }',
        'BAD_USER_INPUT',
        /not under a directory/,
      ],
    ];
    for (const [query, code, message] of refusals) {
      const answer = await server.ask(query);
      expect([answer.errors?.[0]?.extensions.code, answer.errors?.[0]?.message], query).toEqual([
        code,
        expect.stringMatching(message),
      ]);
    }
  });

  it('answer 100 snapshots with their tables and runs by a bounded number of reads', async () => {
    await data(create, { input: { name: 'raw.many', columns: [{ name: 'a', type: 'int' }] } });
    for (let a = 0; a < 100; a++) {
      await data(write, { input: { table: 'raw.many', rows: { json: [{ a }] }, mode: 'APPEND' } });
    }
    await recordRuns('raw.many');
    const select = vi.spyOn(server.icecore.ledger, 'select');
    const before = server.icecore.tables.counts();
    const answer = await data(`{
      table(name: "raw.many") { snapshots(first: 100) { edges { node { snapshotId table { name uuid } parent { snapshotId }
        producedBy { id kind outputs { tableName snapshotId table { name } } } } } } }
    }`);
    const { edges } = answer.table.snapshots;
    expect(edges).toHaveLength(100);
    for (const { node } of edges)
      expect(node.producedBy.outputs).toEqual([
        { tableName: 'raw.many', snapshotId: node.snapshotId, table: { name: 'raw.many' } },
      ]);
    const after = server.icecore.tables.counts();
    expect(after.catalogLoads - before.catalogLoads).toBeLessThanOrEqual(3);
    expect(after.metadataReads - before.metadataReads).toBeLessThanOrEqual(3);
    expect(after.manifestReads - before.manifestReads).toBe(0);
    expect(select.mock.calls.length).toBeLessThanOrEqual(3);
    select.mockRestore();
  });
});

/** A run for each snapshot of a table, as an external job would report them. */
async function recordRuns(name: string): Promise<void> {
  const { lineage, runs, tables } = server.icecore;
  const table = await tables.load(parseIdentifier(name));
  const transaction = tables.transaction();
  for (const { snapshotId } of table.metadata.snapshots) {
    const output = { tableUuid: table.uuid, tableName: name, snapshotId };
    const { run, entry } = runs.recorded(localCaller, 'EXTERNAL', 'nightly', {}, { result: null, inputs: [], outputs: [output] });
    const from = { kind: 'EXTERNAL', uuid: 's3://bucket/file', version: null, name: 'file' } as const;
    const to = { kind: 'TABLE', uuid: table.uuid, version: String(snapshotId), name } as const;
    transaction.entry(entry);
    for (const edge of lineage.drafts([{ from, to, runId: run.id, columns: [] }], localCaller)) transaction.entry(edge);
  }
  await transaction.commit();
}
