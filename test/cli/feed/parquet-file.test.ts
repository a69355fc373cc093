import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../../environment/python.ts';
import { describeWith } from '../../environment/tool.ts';
import { everyColumn, everyColumnInput, everyColumnSql } from '../../feed/every-column.ts';
import { startTestServer, type TestServer } from '../../http/test-server.ts';
import { CuttingProxy } from '../../python/cutting-proxy.ts';
import { speak } from '../spoken.ts';

const rowCount = 2500;

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
      columns: everyColumnInput,
    });
    await ask('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      table: 'raw.every',
      rows: { sql: everyColumnSql(rowCount) },
      mode: 'APPEND',
    });
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  const feed = (args: readonly string[], { origin = server.origin, batchSize = 333 } = {}) =>
    speak(['feed', '--table', 'raw.every', '--batch-size', String(batchSize), ...args], { environment: { ICECORE_URL: origin } });

  test('holds what the Arrow file holds, as pyarrow and DuckDB read it', async () => {
    const [arrow, parquet, plain] = ['rows.arrow', 'rows.parquet', 'plain.parquet'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    expect(await feed(['--out', arrow])).toMatchObject({ code: 0, err: '' });
    // Pages of several batches, and of one.
    expect(await feed(['--out', parquet])).toMatchObject({ code: 0, err: '' });
    expect(await feed(['--out', plain, '--compression', 'none'], { batchSize: 5000 })).toMatchObject({ code: 0, err: '' });
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
      `WITH rows AS (${everyColumnSql(rowCount)})
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
    const { code, err } = await feed(['--out', path], { origin: proxy.origin });
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
    expect(said).toBe(`(0, ${everyColumn.length})\n`);
  });

  test('takes no LZ4', async () => {
    expect(await feed(['--out', join(folder, 'a.parquet'), '--compression', 'lz4'])).toEqual({
      code: 2,
      out: '',
      err: 'icecore: --compression lz4 is for Arrow: Parquet takes zstd or none.\n',
    });
  });
});
