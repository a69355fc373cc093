import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../../environment/python.ts';
import { describeWith } from '../../environment/tool.ts';
import { startTestServer, type TestServer } from '../../http/test-server.ts';
import { CuttingProxy } from '../../python/cutting-proxy.ts';
import { speak } from '../spoken.ts';

/** Every type that a feed brings, each null now and then; lists are null, empty, or up to four long. */
const columns: readonly (readonly [name: string, type: string, sql: string])[] = [
  ['n', 'long', 'range'],
  ['flag', 'boolean', maybe('range % 3 = 0', 2)],
  ['small', 'int', maybe('range * 7 - 1000', 3)],
  ['single', 'float', maybe('range / 7', 4)],
  ['double', 'double', maybe('range / 13', 5)],
  ['day', 'date', maybe("DATE '1969-01-01' + CAST(range AS INTEGER)", 6)],
  ['clock', 'time', maybe("TIME '10:00:00.123456'", 7)],
  ['at', 'timestamp', maybe("TIMESTAMP '1969-12-31 23:59:59.999999' + to_seconds(range)", 8)],
  ['instant', 'timestamptz', maybe("TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range)", 9)],
  ['price', 'decimal(9, 2)', maybe('CAST(range * -1.25 AS DECIMAL(9, 2))', 10)],
  ['wide', 'decimal(38, 10)', maybe('CAST(range * 1234567890.5 - 4 AS DECIMAL(38, 10))', 11)],
  ['text', 'string', maybe("repeat('é', CAST(range % 50 AS INTEGER))", 12)],
  ['same', 'string', "'same'"],
  ['id', 'uuid', maybe("CAST('00000000-0000-0000-0000-' || lpad(CAST(range AS VARCHAR), 12, '0') AS UUID)", 13)],
  ['bytes', 'binary', maybe("CAST('b' || range AS BLOB)", 14)],
  ['tags', 'list<string>', listOf("'tag ' || range || i", 15)],
  ['pair', 'struct<a: int, b: string>', maybe(`{a: ${maybe('range', 16)}, b: ${maybe("'x' || range", 17)}}`, 18)],
  ['pairs', 'list<struct<a: int, b: list<long>>>', listOf(`{a: i, b: ${listOf('range * 10 + i', 19)}}`, 20)],
  ['by', 'map<string, long>', maybe("map(['a' || range, 'b'], [range, NULL])", 21)],
  ['never', 'string', 'CAST(NULL AS VARCHAR)'],
];
const rowCount = 2500;

function maybe(sql: string, salt: number): string {
  return `CASE WHEN hash(range * 31 + ${salt}) % 4 = 0 THEN NULL ELSE ${sql} END`;
}

function listOf(sql: string, salt: number): string {
  const elements = `[CASE WHEN (i + range) % 3 = 0 THEN NULL ELSE ${sql} END FOR i IN range(CAST(hash(range + ${salt}) % 5 AS BIGINT))]`;
  return maybe(elements, salt);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

const program = `
import sys, pyarrow as pa, pyarrow.parquet as pq
arrow, parquet = pa.ipc.open_file(sys.argv[1]).read_all(), pq.read_table(sys.argv[2])
arrow.validate(full=True), parquet.validate(full=True)
for name in arrow.column_names:
    a, b = arrow[name].to_pylist(), parquet[name].to_pylist()
    if a != b: print(name, next((i, x, y) for i, (x, y) in enumerate(zip(a, b)) if x != y))
metadata = pq.ParquetFile(sys.argv[2]).metadata
print(parquet.num_rows, metadata.num_row_groups, metadata.row_group(0).column(0).compression)
print([f.name for f in arrow.schema if parquet.schema.field(f.name).type != f.type])
print(metadata.schema.to_arrow_schema().field("n").metadata, metadata.metadata[b"icecore.epoch"])`;

describeWith(['python3'], 'A feed in a Parquet file', () => {
  let server: TestServer;
  let folder: string;
  let python: string;
  beforeAll(async () => {
    python = pythonEnvironment(join(import.meta.dirname, '../../python/arrow.lock'));
    folder = await mkdtemp(join(tmpdir(), 'icecore-cli-parquet-'));
    server = await startTestServer();
    const ask = async (query: string, input: object) => {
      const { errors } = await server.ask(query, { input });
      expect(errors).toBeUndefined();
    };
    await ask('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { id } } }', {
      name: 'raw.every',
      columns: columns.map(([name, type]) => ({ name, type, required: name === 'n' })),
    });
    const sql = `SELECT ${columns.map(([name, , value]) => `${value} AS "${name}"`).join(', ')} FROM range(${rowCount})`;
    await ask('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      table: 'raw.every',
      rows: { sql },
      mode: 'APPEND',
    });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const feed = (args: readonly string[], origin = server.origin) =>
    speak(['feed', '--table', 'raw.every', '--batch-size', '333', ...args], { environment: { ICECORE_URL: origin } });

  test('holds what the Arrow file holds, as pyarrow and DuckDB read it', async () => {
    const [arrow, parquet, plain] = ['rows.arrow', 'rows.parquet', 'plain.parquet'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const [path, ...flags] of [[arrow], [parquet], [plain, '--compression', 'none']] as const) {
      expect(await feed(['--out', path, ...flags])).toMatchObject({ code: 0, err: '' });
    }
    for (const [path, codec] of [
      [parquet, 'ZSTD'],
      [plain, 'UNCOMPRESSED'],
    ] as const) {
      const said = execFileSync(python, ['-c', program, arrow, path], { encoding: 'utf8' });
      expect(said).toBe(`${rowCount} 1 ${codec}\n[]\n{b'PARQUET:field_id': b'1'} b'0'\n`);
    }
    expect((await stat(parquet)).size).toBeLessThan((await stat(plain)).size / 2);
    const duckdb = await DuckDBInstance.create(':memory:');
    const connection = await duckdb.connect();
    const reader = await connection.runAndReadAll(
      `SELECT count(*), sum(n), count(text), sum(len(tags)), sum(price), count(DISTINCT id), sum(pairs[1].b[1]) FROM '${parquet}'`,
    );
    const other = await connection.runAndReadAll(
      `WITH rows AS (SELECT ${columns.map(([name, , value]) => `${value} AS "${name}"`).join(', ')} FROM range(${rowCount}))
       SELECT count(*), sum(n), count(text), sum(len(tags)), sum(price), count(DISTINCT id), sum(pairs[1].b[1]) FROM rows`,
    );
    expect(reader.getRowsJson()).toEqual(other.getRowsJson());
    connection.closeSync();
    duckdb.closeSync();
  });

  test('goes on by another process behind what one has left', async () => {
    const [path, whole] = [join(folder, 'resumed.parquet'), join(folder, 'whole.arrow')] as const;
    expect((await feed(['--out', whole])).code).toBe(0);
    // Where the server was answers something else: no other try would help.
    const stranger = createServer((_, answer) => answer.writeHead(404).end('<html>'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const proxy = await CuttingProxy.start(Number(new URL(server.origin).port), (connection) => {
      const first = async () => {
        proxy.target = portOf(stranger);
      };
      return connection === 0 ? { afterBytes: 300_000, first } : null;
    });
    const { code, err } = await feed(['--out', path], proxy.origin);
    expect(code).toBe(1);
    expect(err).toMatch(
      /\nicecore: [\d,]+ rows are in \S+resumed\.parquet\.partial: --resume goes on\.\nicecore: What answers at /,
    );
    expect((await readdir(folder)).filter((name) => name.startsWith('resumed')).toSorted()).toEqual([
      'resumed.parquet.partial',
      'resumed.parquet.partial.json',
    ]);
    expect(await feed(['--resume', '--out', path])).toMatchObject({ code: 0, err: '' });
    await proxy.stop();
    stranger.close();
    expect(execFileSync(python, ['-c', program, whole, path], { encoding: 'utf8' })).toMatch(/^2500 2 ZSTD\n\[\]\n/);
    expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('has no row group where there are no rows', async () => {
    const path = join(folder, 'none.parquet');
    expect((await feed(['--where', 'n < 0', '--out', path])).code).toBe(0);
    const said = execFileSync(
      python,
      ['-c', 'import sys, pyarrow.parquet as pq; print(pq.read_table(sys.argv[1]).shape)', path],
      {
        encoding: 'utf8',
      },
    );
    expect(said).toBe(`(0, ${columns.length})\n`);
  });

  test('takes no LZ4', async () => {
    expect(await feed(['--out', join(folder, 'a.parquet'), '--compression', 'lz4'])).toEqual({
      code: 2,
      out: '',
      err: 'icecore: --compression lz4 is for Arrow: Parquet takes zstd or none.\n',
    });
  });
});
