import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../src/sql/quote.ts';
import { mavenJar } from '../test/environment/maven.ts';
import { pythonEnvironment } from '../test/environment/python.ts';
import { ServerProcess } from '../test/http/server-process.ts';
import { type BenchRow, benchRow } from './bench.ts';

const run = promisify(execFile);
/** All of them; fewer to try the bench itself. */
const rows = Number(process.env.ICECORE_BENCH_ROWS ?? 10_000_000);
const upserted = rows / 100;
/** A peer that has not ended by then is stopped, and counts as this long. */
const peerMsMax = Number(process.env.ICECORE_BENCH_PEER_MS ?? 600_000);

const columns = [
  { name: 'id', type: 'long' },
  { name: 'at', type: 'timestamp' },
  { name: 'origin', type: 'string' },
  { name: 'delay', type: 'double' },
  { name: 'distance', type: 'double' },
  { name: 'flights', type: 'int' },
];

interface Files {
  readonly table: string;
  readonly rows: string;
}

/** One per cent of a table's rows, scattered over all of it, upserted by key: beside PyIceberg, and Spark in both of its ways. */
export async function benchUpserts(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-upserts-'));
  try {
    const files = await writeFiles(directory);
    const ours = await upsertOurs(directory, files);
    const pyiceberg = await secondsOf(pythonEnvironment(lockOf('pyiceberg')), 'pyiceberg_upsert.py', [
      directory,
      files.table,
      files.rows,
    ]);
    const jar = mavenJar('org.apache.iceberg', 'iceberg-spark-runtime-3.5_2.12', '1.11.0');
    const [copying, marking] = await secondsOf(pythonEnvironment(lockOf('spark')), 'spark_upsert.py', [
      jar,
      directory,
      files.table,
      files.rows,
    ]);
    const work = `${upserted.toLocaleString('en')} of ${rows.toLocaleString('en')} rows upserted`;
    const row = (mode: string, value: number, peer: string, peerValue = Number.NaN): BenchRow =>
      benchRow({ work: `${work}, ${mode}`, ours: value, unit: 's', peer, peerValue });
    return [
      row('copy on write', ours.copying, 'PyIceberg', pyiceberg[0]),
      row('copy on write', ours.copying, 'Spark MERGE', copying),
      row('merge on read', ours.marking, 'Spark MERGE', marking),
    ];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeFiles(directory: string): Promise<Files> {
  const files = { table: join(directory, 'table.parquet'), rows: join(directory, 'rows.parquet') };
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const values = (ids: string, salt: number): string =>
    `SELECT id, TIMESTAMP '2001-01-01' + to_seconds((hash(id, ${salt}) % 31536000)::BIGINT) AS at, 'A' || (hash(id, 1) % 300) AS origin,
            (hash(id, 2 + ${salt}) % 20000) / 100.0::DOUBLE AS delay, (hash(id, 3) % 500000) / 100.0::DOUBLE AS distance,
            (hash(id, 4) % 100)::INT AS flights FROM (${ids})`;
  try {
    const copy = (select: string, file: string) =>
      connection.run(`COPY (${select}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd)`);
    await copy(values(`SELECT i AS id FROM range(${rows}) r(i)`, 0), files.table);
    await copy(values(`SELECT i * 100 + (hash(i) % 100)::BIGINT AS id FROM range(${upserted}) r(i)`, 1), files.rows);
    return files;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

async function upsertOurs(directory: string, files: Files): Promise<{ readonly copying: number; readonly marking: number }> {
  const server = await ServerProcess.start({ ICECORE_FILE_ROOTS: directory });
  const write = (input: unknown) =>
    server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded rowsRemoved } }', { input });
  const upsert = async (mode: string): Promise<number> => {
    const table = `bench.upserted_${mode.replaceAll('-', '_')}`;
    const properties = { 'write.merge.mode': mode };
    const input = { name: table, columns, properties };
    await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', { input });
    await write({ table, mode: 'APPEND', rows: { file: files.table } });
    const startMs = performance.now();
    const { writeRows } = await write({ table, mode: 'UPSERT', keys: ['id'], rows: { file: files.rows } });
    const seconds = (performance.now() - startMs) / 1000;
    if (Number(writeRows.rowsRemoved) !== upserted) throw new Error(`${writeRows.rowsRemoved} rows were replaced`);
    return seconds;
  };
  try {
    return { copying: await upsert('copy-on-write'), marking: await upsert('merge-on-read') };
  } finally {
    await server.stop();
  }
}

/** The numbers that a peer's script prints, a line each; a peer that does not end in time counts as the time that it had. */
async function secondsOf(python: string, script: string, args: readonly string[]): Promise<readonly number[]> {
  const path = fileURLToPath(new URL(`./upserts/${script}`, import.meta.url));
  try {
    const { stdout } = await run(python, [path, ...args], { timeout: peerMsMax, maxBuffer: 16 * 1024 * 1024 });
    return stdout.trim().split('\n').map(Number);
  } catch (error) {
    if ((error as { readonly killed?: boolean }).killed !== true) throw error;
    console.error(`${script} did not end within ${peerMsMax / 1000} s.`);
    return [peerMsMax / 1000];
  }
}

function lockOf(name: string): string {
  return fileURLToPath(new URL(`../test/python/${name}.lock`, import.meta.url));
}
