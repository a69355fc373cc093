import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { printIdentifier } from '../../src/iceberg/identifier.ts';
import { allowedFunctions } from '../../src/sql/allowed-functions.ts';
import { runSelect } from '../../src/sql/query.ts';
import { quoteText } from '../../src/sql/quote.ts';
import { parseSelect, type TableReference } from '../../src/sql/select.ts';
import { type DuckDbFixture, openFixture } from './duckdb-fixture.ts';

let fixture: DuckDbFixture;
let parquet: string;
beforeAll(async () => {
  fixture = await openFixture();
  await mkdir(fixture.warehouse, { recursive: true });
  parquet = join(fixture.warehouse, 'x.parquet');
  await fixture.db.trusted.use(async (connection) => {
    await connection.run(`COPY (SELECT 'secret' AS s) TO ${quoteText(parquet)}`);
  });
});
afterAll(() => fixture.close());

/** Runs a statement where every table has the column `a` with the table's printed name and version, and `n` = 1, 2, 3. */
async function run(statement: string, parameters: readonly unknown[] = []) {
  const select = await parseSelect(fixture.db, statement);
  const relations = select.references.map(
    (reference) => `SELECT ${quoteText(describeReference(reference))} AS a, n FROM range(1, 4) t(n)`,
  );
  return (await runSelect(fixture.db, { select, relations, parameters }, { maxRows: 100 })).rows;
}

function describeReference({ identifier, at }: TableReference): string {
  if (at === null) return printIdentifier(identifier);
  return `${printIdentifier(identifier)}@${at.kind === 'snapshot' ? at.snapshotId : at.kind === 'ref' ? at.name : at.text}`;
}

async function referencesOf(statement: string): Promise<string[]> {
  return (await parseSelect(fixture.db, statement)).references.map(describeReference);
}

describe('the tables of a SELECT', () => {
  test.each<[string, string[]]>([
    ['SELECT 1', []],
    ['SELECT * FROM ns.t', ['ns.t']],
    ['FROM ns.t', ['ns.t']],
    ['SELECT * FROM t', ['t']],
    ['SELECT * FROM "a.b".t', ['a.b.t']],
    ['SELECT * FROM a.b.t', ['a.b.t']],
    ['SELECT * FROM ns."t.x"', ['ns."t.x"']],
    ['SELECT * FROM ns.t AS x, ns.t AS y', ['ns.t', 'ns.t']],
    [
      'SELECT (SELECT max(n) FROM ns.u) FROM ns.t WHERE n IN (SELECT n FROM ns.v) AND EXISTS (SELECT 1 FROM ns.w)',
      ['ns.u', 'ns.t', 'ns.v', 'ns.w'],
    ],
    ['SELECT * FROM ns.t, LATERAL (SELECT * FROM ns.u WHERE u.n = t.n)', ['ns.t', 'ns.u']],
    ['SELECT n FROM ns.t UNION ALL (SELECT n FROM ns.u INTERSECT SELECT n FROM ns.v)', ['ns.t', 'ns.u', 'ns.v']],
    ['SELECT * FROM range((SELECT max(n) FROM ns.t))', ['ns.t']],
    ['SELECT list_transform([1], x -> x + (SELECT max(n) FROM ns.t))', ['ns.t']],
    [
      'SELECT sum(n) OVER (ORDER BY (SELECT 1 FROM ns.u)) FROM ns.t ORDER BY (SELECT 1 FROM ns.v) LIMIT (SELECT 1 FROM ns.w)',
      ['ns.v', 'ns.w', 'ns.u', 'ns.t'],
    ],
    ['SELECT * FROM (PIVOT ns.t ON a IN (1, 2) USING sum(n))', ['ns.t']],
    // A CTE hides a table of its name, and only there, and only without a namespace.
    ['WITH t AS (SELECT * FROM ns.t) SELECT * FROM t, ns.t', ['ns.t', 'ns.t']],
    ['WITH t AS (SELECT * FROM t) SELECT * FROM t', ['t']],
    ['WITH x AS (SELECT 1), y AS (SELECT * FROM x, z), z AS (SELECT 1) SELECT * FROM y, z', ['z']],
    ['SELECT * FROM (WITH t AS (SELECT 1) SELECT * FROM t), t', ['t']],
    ['SELECT * FROM t WHERE n IN (WITH t AS (SELECT 1 AS n) SELECT n FROM T)', ['t']],
    ['WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r, s', ['s']],
    // Time travel, in every way to write it.
    ['SELECT * FROM ns.t AT (VERSION => 9223372036854775807)', ['ns.t@9223372036854775807']],
    ['SELECT * FROM ns.t x AT (VERSION => 9007199254740993)', ['ns.t@9007199254740993']],
    ['SELECT * FROM ns.t AT (VERSION => 3) x WHERE x.n > 1', ['ns.t@3']],
    ['SELECT * FROM ns.t AT (VERSION => 3) AS x(a, b) JOIN ns.u ON true', ['ns.t@3', 'ns.u']],
    ["SELECT * FROM ns.t AT (TIMESTAMP => '2001-01-01 00:00:00') LEFT JOIN ns.u USING (n)", ['ns.t@2001-01-01 00:00:00', 'ns.u']],
    ["SELECT * FROM ns.t AT (TIMESTAMP => TIMESTAMPTZ '2001-01-01 00:00:00Z')", ['ns.t@2001-01-01 00:00:00Z']],
    ['SELECT * FROM ns.t FOR VERSION AS OF 12 WHERE n > 1', ['ns.t@12']],
    ['SELECT * FROM ns.t FOR SYSTEM_VERSION AS OF 12 AS x', ['ns.t@12']],
    [
      "SELECT * FROM ns.t for timestamp as of timestamp '2001-01-01' x, ns.t FOR SYSTEM_TIME AS OF '2002' y",
      ['ns.t@2001-01-01', 'ns.t@2002'],
    ],
    ["SELECT * FROM ns.t FOR VERSION AS OF 'audit'", ['ns.t@audit']],
    [
      "SELECT 'x FOR VERSION AS OF 3', \"FOR VERSION AS OF 3\" FROM ns.t -- FOR VERSION AS OF 3\n/* FOR VERSION /* AS */ OF 4 */ WHERE $$FOR VERSION AS OF 5$$ = E'\\'FOR VERSION AS OF 6'",
      ['ns.t'],
    ],
  ])('%s', async (statement, expected) => {
    expect((await referencesOf(statement)).sort()).toEqual(expected.sort());
  });

  test('have their place', async () => {
    const { references } = await parseSelect(fixture.db, "SELECT 'é'\nFROM ns.t,\n ns.u");
    expect(references.map((reference) => reference.place)).toEqual(['line 2, column 6', 'line 3, column 2']);
  });
});

describe('a SELECT that runs', () => {
  test.each<[string, unknown]>([
    ['SELECT a FROM ns.t LIMIT 1', [{ a: 'ns.t' }]],
    ['SELECT ns.t.a AS x, t.a AS y FROM ns.t LIMIT 1', [{ x: 'ns.t', y: 'ns.t' }]],
    ['SELECT one.t.a AS x, two.t.a AS y FROM one.t JOIN two.t USING (n) LIMIT 1', [{ x: 'one.t', y: 'two.t' }]],
    ['SELECT old.a AS x, t.a AS y FROM ns.t AT (VERSION => 7) old JOIN ns.t USING (n) LIMIT 1', [{ x: 'ns.t@7', y: 'ns.t' }]],
    ['SELECT (SELECT max(t.a) FROM ns.t AT (VERSION => 7)) AS x, t.a AS y FROM ns.t LIMIT 1', [{ x: 'ns.t@7', y: 'ns.t' }]],
    ['SELECT x.a, y.a AS b FROM NS.T x, ns.t y LIMIT 1', [{ a: 'NS.T', b: 'ns.t' }]],
    ['WITH t AS (SELECT max(n) AS m FROM ns.t) SELECT t.m FROM t', [{ m: '3' }]],
    ['WITH t AS (SELECT a FROM t LIMIT 1) SELECT * FROM t', [{ a: 't' }]],
    ['WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r WHERE n < 3) SELECT max(r.n) AS m FROM r', [{ m: 3 }]],
    ['SELECT 1 AS x, 2 AS x, 3 AS x_1', [{ x: 1, x_2: 2, x_1: 3 }]],
    ['SELECT 1e3 / 3 > 333.333 AS x, typeof(1e3) AS t', [{ x: true, t: 'DOUBLE' }]],
    ['SELECT * FROM (VALUES (1, true)) v(x, y)', [{ x: 1, y: true }]],
    ['SELECT n, row_number() OVER (ORDER BY n DESC) AS r FROM ns.t QUALIFY r = 1', [{ n: '3', r: '1' }]],
    ["SELECT date_trunc('hour', TIMESTAMPTZ '2001-01-01 05:30:00+05') AS h", [{ h: '2001-01-01T00:00:00Z' }]],
  ])('%s', async (statement, expected) => {
    expect(await run(statement)).toEqual(expected);
  });

  test('takes parameters', async () => {
    expect(await run('SELECT n FROM ns.t WHERE n = $1 OR n = ?2', [2, '3'])).toEqual([{ n: '2' }, { n: '3' }]);
    expect(await run('SELECT n FROM ns.t WHERE n IN (SELECT unnest(?)) LIMIT ?', [[1, 3], 1])).toEqual([{ n: '1' }]);
    expect(await run("SELECT DATE '2001-01-02' > ? AS x", ['2001-01-01'])).toEqual([{ x: true }]);
    await expect(run('SELECT ?', [])).rejects.toThrow('takes 1 parameters, and 0 were given');
    await expect(run('SELECT ?', [{}])).rejects.toThrow('Parameter 1 must be');
  });

  test('leaves nothing behind', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, index) => run(`SELECT y.a FROM ns.t${index}, ns.t AT (VERSION => 1), ns.t y`)),
    );
    await expect(run('SELECT a + 1 FROM ns.t')).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    const left = await fixture.db.guarded.use((connection) =>
      connection.runAndReadAll('SELECT database_name FROM duckdb_databases() WHERE NOT internal'),
    );
    expect(left.getRows()).toEqual([['memory']]);
    expect(fixture.db.guarded.leased).toBe(0);
  });

  test('is cut at the row limit, by its time and by its caller', async () => {
    const select = await parseSelect(fixture.db, 'SELECT count(*) AS c FROM range(1000000000) a, range(1000000000) b');
    await expect(runSelect(fixture.db, { select, relations: [] }, { maxRows: 1, timeoutMs: 50 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    });
    const abort = new AbortController();
    const running = runSelect(fixture.db, { select, relations: [] }, { maxRows: 1, signal: abort.signal });
    abort.abort(new Error('gone'));
    await expect(running).rejects.toThrow('gone');
    const rows = await parseSelect(fixture.db, 'SELECT * FROM range(1000000000)');
    const result = await runSelect(fixture.db, { select: rows, relations: [] }, { maxRows: 3 });
    expect(result).toMatchObject({ truncated: true, rows: [{ range: '0' }, { range: '1' }, { range: '2' }] });
    expect(fixture.db.guarded.leased).toBe(0);
  });
});

describe('a SELECT is refused', () => {
  const file = () => parquet;
  test.each<[string, string | (() => string)]>([
    ['several statements', 'SELECT 1; SELECT 2'],
    ['a second statement of another kind', 'SELECT 1; DROP TABLE ns.t'],
    ['no statement', ' -- nothing'],
    ['a statement behind a zero byte', 'SELECT 1\0; DROP TABLE x'],
    ['an option', "SET memory_limit = '1GB'"],
    ['an option, globally', 'SET GLOBAL threads = 1'],
    ['a reset', 'RESET memory_limit'],
    ['a pragma', 'PRAGMA database_list'],
    ['a pragma that runs SQL', "PRAGMA json_execute_serialized_sql('{}')"],
    ['attach', "ATTACH '/tmp/x.db' AS x"],
    ['detach', 'DETACH memory'],
    ['use', 'USE memory'],
    ['copy out', "COPY (SELECT 1) TO '/tmp/x.parquet'"],
    ['copy in', "COPY ns.t FROM '/tmp/x.parquet'"],
    ['export', "EXPORT DATABASE '/tmp/x'"],
    ['install', 'INSTALL httpfs'],
    ['load', 'LOAD httpfs'],
    ['call', 'CALL pragma_version()'],
    ['execute', 'EXECUTE x'],
    ['prepare', 'PREPARE x AS SELECT 1'],
    ['insert', 'INSERT INTO ns.t VALUES (1)'],
    ['update', 'UPDATE ns.t SET a = 1'],
    ['delete', 'DELETE FROM ns.t'],
    ['create table', 'CREATE TABLE x AS SELECT 1'],
    ['create macro', 'CREATE MACRO x() AS 1'],
    ['create secret', "CREATE SECRET s (TYPE s3, KEY_ID 'x')"],
    ['explain', 'EXPLAIN SELECT 1'],
    ['vacuum', 'VACUUM'],
    ['checkpoint', 'CHECKPOINT'],
    ['a transaction', 'BEGIN'],
    ['a variable', 'SET VARIABLE x = 1'],
    ['insert in a CTE', 'WITH x AS (INSERT INTO ns.t VALUES (1) RETURNING a) SELECT * FROM x'],
    ['describe', 'DESCRIBE ns.t'],
    ['describe in a subquery', 'SELECT * FROM (DESCRIBE ns.t)'],
    ['summarize', 'SUMMARIZE ns.t'],
    ['show tables', 'SHOW TABLES'],
    ['show in a subquery', 'SELECT * FROM (SHOW ALL TABLES)'],
    ['a file by name', "SELECT * FROM 'x.parquet'"],
    ['a file of the warehouse', () => `SELECT * FROM '${file()}'`],
    ['a file in double quotes', () => `SELECT * FROM "${file()}"`],
    [
      'a file under a name that a CTE has elsewhere',
      () => `SELECT * FROM (WITH "${file()}" AS (SELECT 1) SELECT 1), "${file()}"`,
    ],
    ['a file in a CTE of its own name', () => `WITH "${file()}" AS (SELECT * FROM "${file()}") SELECT * FROM "${file()}"`],
    ['a URL', "SELECT * FROM 'https://example.com/x.csv'"],
    ['a device', "SELECT * FROM '/dev/stdin'"],
    ['read_parquet', () => `SELECT * FROM read_parquet('${file()}')`],
    ['parquet_scan', () => `SELECT * FROM parquet_scan('${file()}')`],
    ['parquet_metadata', () => `SELECT * FROM parquet_metadata('${file()}')`],
    ['read_csv', "SELECT * FROM read_csv('/etc/passwd')"],
    ['read_csv_auto', "SELECT * FROM read_csv_auto('/etc/passwd')"],
    ['sniff_csv', "SELECT * FROM sniff_csv('/etc/passwd')"],
    ['read_json', "SELECT * FROM read_json('/etc/passwd')"],
    ['read_text', "SELECT * FROM read_text('/etc/passwd')"],
    ['read_blob', "SELECT * FROM read_blob('/etc/passwd')"],
    ['read_duckdb', "SELECT * FROM read_duckdb('/tmp/x.db')"],
    ['a function of another case', "SELECT * FROM READ_TEXT('/etc/passwd')"],
    ['a quoted function', 'SELECT * FROM "read_text"(\'/etc/passwd\')'],
    ['a qualified function', "SELECT * FROM system.main.read_text('/etc/passwd')"],
    ['a file in a lateral join', "SELECT * FROM ns.t, LATERAL (SELECT * FROM read_text('/etc/passwd'))"],
    ['a file in a subquery', "SELECT (SELECT content FROM read_text('/etc/passwd'))"],
    ['a file in an ORDER BY', "SELECT 1 ORDER BY (SELECT content FROM read_text('/etc/passwd'))"],
    ['a file in a LIMIT', "SELECT 1 LIMIT (SELECT size FROM read_text('/etc/passwd'))"],
    ['a file in a window', "SELECT sum(1) OVER (ORDER BY (SELECT size FROM read_text('/etc/passwd')))"],
    ['a file in a filter', "SELECT count(*) FILTER (WHERE EXISTS (FROM read_text('/etc/passwd')))"],
    ['a file in a join condition', "SELECT * FROM ns.t JOIN ns.u ON EXISTS (FROM read_text('/etc/passwd'))"],
    ['a file in a lambda', "SELECT list_transform([1], x -> (SELECT size FROM read_text('/etc/passwd')))"],
    ['a file in a table function', "SELECT * FROM range((SELECT size FROM read_text('/etc/passwd')))"],
    ['a file in VALUES', "VALUES ((SELECT content FROM read_text('/etc/passwd')))"],
    ['a file in a set operation', "SELECT 1 UNION SELECT size FROM read_text('/etc/passwd')"],
    ['a file in a CTE', "WITH x AS (FROM read_text('/etc/passwd')) SELECT * FROM x"],
    [
      'a file in a recursive CTE',
      "WITH RECURSIVE x(a) AS (SELECT 1 UNION ALL SELECT size FROM read_text('/etc/passwd'), x) SELECT * FROM x",
    ],
    ['a file in a pivot', "SELECT * FROM (PIVOT (FROM read_text('/etc/passwd')) ON filename IN ('a') USING max(size))"],
    ['a file in an unpivot', "UNPIVOT (FROM read_text('/etc/passwd')) ON size, content"],
    ['a file in a QUALIFY', "SELECT 1 QUALIFY EXISTS (FROM read_text('/etc/passwd'))"],
    ['a file in a GROUP BY', "SELECT 1 GROUP BY (SELECT size FROM read_text('/etc/passwd'))"],
    ['a file in REPLACE', "SELECT * REPLACE ((SELECT size FROM read_text('/etc/passwd')) AS n) FROM ns.t"],
    ['a file in COLUMNS', "SELECT COLUMNS(c -> EXISTS (FROM read_text('/etc/passwd'))) FROM ns.t"],
    ['a file in AT', "SELECT * FROM ns.t AT (VERSION => (SELECT size FROM read_text('/etc/passwd')))"],
    ['glob', "SELECT * FROM glob('/*')"],
    ['query', "SELECT * FROM query('SELECT 1')"],
    ['query_table', "SELECT * FROM query_table('x')"],
    ['getenv', "SELECT getenv('HOME')"],
    ['current_setting', "SELECT current_setting('threads')"],
    ['getvariable', "SELECT getvariable('x')"],
    ['current_query', 'SELECT current_query()'],
    ['current_schemas', 'SELECT current_schemas(true)'],
    ['nextval', "SELECT nextval('x')"],
    ['setseed', 'SELECT setseed(0.5)'],
    ['write_log', "SELECT write_log('x')"],
    ['sleep_ms', 'SELECT sleep_ms(1000)'],
    ['pg_sleep', 'SELECT pg_sleep(1)'],
    ['json_serialize_plan', "SELECT json_serialize_plan('SELECT 1')"],
    ['json_execute_serialized_sql', "SELECT * FROM json_execute_serialized_sql('{}')"],
    ['pg_get_viewdef', 'SELECT pg_get_viewdef(1)'],
    ['duckdb_secrets', 'SELECT * FROM duckdb_secrets()'],
    ['duckdb_settings', 'SELECT * FROM duckdb_settings()'],
    ['duckdb_tables', 'SELECT * FROM duckdb_tables()'],
    ['duckdb_views', 'SELECT * FROM duckdb_views'],
    ['pragma_table_info', "SELECT * FROM pragma_table_info('x')"],
    ['which_secret', "SELECT * FROM which_secret('s3://x', 's3')"],
    ['enable_logging', 'SELECT * FROM enable_logging()'],
    ['test_all_types', 'SELECT * FROM test_all_types()'],
    ['an aggregate that is no built-in', 'SELECT other.main.sum(1)'],
    ['information_schema', 'SELECT * FROM information_schema.tables'],
    ['pg_catalog', 'SELECT * FROM pg_catalog.pg_class'],
    ['the system catalog', 'SELECT * FROM system.information_schema.tables'],
    ['another database', 'SELECT * FROM memory.main.x'],
    ['temporary tables', 'SELECT * FROM temp.x'],
    ['a type of another schema', 'SELECT 1::other.x'],
    ['a named parameter', 'SELECT $name'],
    ['AT with a computed version', 'SELECT * FROM ns.t AT (VERSION => 1 + 1)'],
    ['AT with a parameter', 'SELECT * FROM ns.t AT (VERSION => ?)'],
    ['AT with a negative version', 'SELECT * FROM ns.t AT (VERSION => -1)'],
    ['AT on a CTE', 'WITH x AS (SELECT 1) SELECT * FROM x AT (VERSION => 1)'],
    ['an infinite number', 'SELECT 1e400'],
    ['a quote that does not end', "SELECT 'x"],
    ['a comment that does not end', 'SELECT 1 /* x'],
  ])('for %s', async (_what, statement) => {
    const text = typeof statement === 'string' ? statement : statement();
    const refusal = await run(text).then(
      (rows) => `ran, and gave ${JSON.stringify(rows)}`,
      (error: { code?: string }) => error.code ?? error,
    );
    // duckdb_views and the like are plain names without a namespace: the catalog has no such table, and the engine is not asked.
    if (/duckdb_views$/.test(text)) expect(await referencesOf(text)).toEqual(['duckdb_views']);
    else expect(refusal).toBe('BAD_USER_INPUT');
  });

  test('with the place of the error', async () => {
    await expect(parseSelect(fixture.db, 'SELECT 1\nFRM x')).rejects.toThrow('line 2, column');
    await expect(parseSelect(fixture.db, "SELECT\n  getenv('x')")).rejects.toThrow(
      'the function getenv; only tables and functions that compute from their arguments are allowed at line 2, column 3',
    );
  });

  test('by depth, without a crash', async () => {
    await expect(parseSelect(fixture.db, `SELECT ${'('.repeat(20000)}1${')'.repeat(20000)}`)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    await expect(run(`SELECT ${'1 + '.repeat(5000)}1`)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

test('the guarded instance stands on its own', async () => {
  for (const statement of [
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('/etc/*')",
    "COPY (SELECT 1) TO '/tmp/icecore-never.parquet'",
    "ATTACH '/tmp/icecore-never.db' AS x",
    'SET threads = 1',
    'SET enable_external_access = true',
    'INSTALL httpfs',
    'LOAD httpfs',
    `SELECT * FROM read_parquet('${fixture.warehouse}/../secret.parquet')`,
  ]) {
    await expect(
      fixture.db.guarded.use((connection) => connection.run(statement)),
      statement,
    ).rejects.toThrow();
  }
});

test('every allowed function is one of the engine', async () => {
  const reader = await fixture.db.guarded.use((connection) =>
    connection.runAndReadAll(
      'SELECT DISTINCT lower(function_name) FROM duckdb_functions() UNION SELECT DISTINCT lower(keyword_name) FROM duckdb_keywords()',
    ),
  );
  const known = new Set(reader.getRows().map(([name]) => String(name)));
  const inventions = [...allowedFunctions].filter((name) => /^[a-z]/.test(name) && !known.has(name));
  expect(inventions).toEqual([]);
});
