import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { Lakehouse } from './lakehouse.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer } from './rest-server.ts';

const lock = new URL('../python/duckdb.lock', import.meta.url).pathname;

function prelude(uri: string): string {
  return `
import importlib.util, pathlib, duckdb
connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
for name in ["avro", "httpfs", "iceberg"]:
    package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0])
    [extension] = package.rglob("*.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
connection.execute("CREATE SECRET (TYPE iceberg, TOKEN '${keyOf('keeper')}')")
connection.execute("ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '${uri}')")
def sql(text):
    return [list(row) for row in connection.execute(text).fetchall()]
`;
}

describeWith(['python3'], 'DuckDB over the REST catalog', () => {
  let server: RestServer;
  let lakehouse: Lakehouse;
  let python: PythonSession;
  const sql = async (statement: string) => await python.value(`sql(${JSON.stringify(statement)})`);
  beforeAll(async () => {
    server = await RestServer.start();
    lakehouse = new Lakehouse(server.api('keeper'));
    python = await PythonSession.start(pythonEnvironment(lock), prelude(server.catalogUri), { directory: server.directory });
  });
  afterAll(async () => {
    await python?.stop();
    await server?.stop();
  });

  test('makes schemas and tables, inserts, updates and deletes; GraphQL shows each', async () => {
    await sql('CREATE SCHEMA lake.shared');
    await sql('CREATE TABLE lake.shared.trips (id BIGINT, city VARCHAR, seen TIMESTAMPTZ, fare DECIMAL(9, 2), tags VARCHAR[])');
    await sql(`INSERT INTO lake.shared.trips VALUES
      (1, 'oslo', '2026-01-01 10:00:00+00', 12.50, ['a', 'b']), (2, 'rome', NULL, 7.25, []), (9007199254740993, NULL, NULL, NULL, NULL)`);
    await sql("UPDATE lake.shared.trips SET city = 'roma' WHERE id = 2");
    await sql('DELETE FROM lake.shared.trips WHERE id = 9007199254740993');
    expect(await lakehouse.columns('shared.trips')).toEqual([
      'id long',
      'city string',
      'seen timestamptz',
      'fare decimal(9, 2)',
      'tags list<string>',
    ]);
    expect(await lakehouse.rows('shared.trips')).toEqual([
      { id: '1', city: 'oslo', seen: '2026-01-01T10:00:00Z', fare: '12.50', tags: ['a', 'b'] },
      { id: '2', city: 'roma', seen: null, fare: '7.25', tags: [] },
    ]);
  });

  test('reads what GraphQL wrote, at an earlier snapshot too', async () => {
    await lakehouse.create({
      name: 'shared.visits',
      columns: [
        { name: 'site', type: 'string' },
        { name: 'visitors', type: 'long' },
      ],
      partitionBy: [{ column: 'site' }],
    });
    const first = await lakehouse.write('shared.visits', [
      { site: 'here', visitors: '1' },
      { site: 'there', visitors: '2' },
    ]);
    await lakehouse.write('shared.visits', [{ site: 'here', visitors: '10' }], { mode: 'UPSERT', keys: ['site'] });
    expect(await sql('SELECT * FROM lake.shared.visits ORDER BY site')).toEqual([
      ['here', 10],
      ['there', 2],
    ]);
    expect(await sql(`SELECT visitors FROM lake.shared.visits AT (VERSION => ${first}) WHERE site = 'here'`)).toEqual([[1]]);
    expect((await sql('SHOW ALL TABLES')).map((row: unknown[]) => row[2])).toEqual(expect.arrayContaining(['trips', 'visits']));
  });

  /** How many changes of tables came through `transactions/commit`. */
  async function committedTogether(): Promise<number> {
    const [row] = await lakehouse.sql("SELECT count(*)::int AS n FROM icecore.audit_log WHERE action = 'commitTransaction'");
    return (row as { readonly n: number }).n;
  }

  test('commits several tables at once, or none of them', async () => {
    await sql('CREATE TABLE lake.shared.one (n INTEGER)');
    await sql('CREATE TABLE lake.shared.two (n INTEGER)');
    const before = await committedTogether();
    await python.value(`
connection.execute("BEGIN")
connection.execute("INSERT INTO lake.shared.one VALUES (1)")
connection.execute("INSERT INTO lake.shared.two VALUES (2)")
connection.execute("COMMIT")
`);
    expect(await lakehouse.sql('SELECT (SELECT n FROM shared.one) AS one, (SELECT n FROM shared.two) AS two')).toEqual([
      { one: 1, two: 2 },
    ]);
    expect(await committedTogether()).toBe(before + 2);
    await python.value(`
connection.execute("BEGIN")
connection.execute("INSERT INTO lake.shared.one VALUES (10)")
connection.execute("INSERT INTO lake.shared.two VALUES (20)")
connection.execute("ROLLBACK")
`);
    expect(await lakehouse.rows('shared.one')).toEqual([{ n: 1 }]);
    await python.value(`
connection.execute("BEGIN")
connection.execute("DELETE FROM lake.shared.one")
connection.execute("INSERT INTO lake.shared.two VALUES (3)")
`);
    await lakehouse.write('shared.one', [{ n: 1 }], { mode: 'DELETE', keys: ['n'] });
    await python.refusal('connection.execute("COMMIT")');
    expect(await lakehouse.rows('shared.two')).toEqual([{ n: 2 }]);
  });

  test("evolves, drops and may not touch what is Icecore's own", async () => {
    await sql('CREATE TABLE lake.shared.evolved (a INTEGER)');
    await sql('INSERT INTO lake.shared.evolved VALUES (1)');
    await sql('ALTER TABLE lake.shared.evolved ADD COLUMN b VARCHAR');
    expect(await lakehouse.columns('shared.evolved')).toEqual(['a int', 'b string']);
    await sql('DROP TABLE lake.shared.evolved');
    expect(await lakehouse.has('shared.evolved')).toBe(false);
    const [[entries]] = await sql('SELECT count(*) FROM lake.icecore.audit_log');
    expect(entries).toBeGreaterThan(0);
    await python.refusal('sql("INSERT INTO lake.icecore.audit_log SELECT * FROM lake.icecore.audit_log")');
    await python.refusal('sql("DROP TABLE lake.icecore.audit_log")');
  });
});
