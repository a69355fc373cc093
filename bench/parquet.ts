import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../src/sql/quote.ts';
import { output } from '../test/environment/command.ts';
import { pythonEnvironment } from '../test/environment/python.ts';
import { type BenchReport, type BenchRow, benchRow } from './bench.ts';
import { columns, rowsSql } from './feed/rows.ts';
import { type Decoding, OurDecoder, PyArrowDecoder } from './parquet/decoders.ts';
import { median } from './side-by-side.ts';

const rowCount = Number(process.env.ICECORE_BENCH_ROWS ?? 3_000_000);
const rounds = Number(process.env.ICECORE_BENCH_ROUNDS ?? 7);
const files = 9;
const threads = availableParallelism();

/** The feed's 19 columns decoded to Arrow, in zstd files as DuckDB and as pyarrow write them, beside pyarrow's dataset reader. */
export async function benchParquet(): Promise<BenchReport> {
  const loadBefore = loadavg()[0] ?? 0;
  const root = await mkdtemp(join(tmpdir(), 'icecore-bench-parquet-'));
  const python = pythonEnvironment(fileURLToPath(new URL('../test/python/arrow.lock', import.meta.url)));
  const [one, all, pyarrow] = [new OurDecoder(root, 1), new OurDecoder(root, threads), new PyArrowDecoder(python)];
  try {
    const written = await writeFiles(root, python);
    const rows: BenchRow[] = [];
    for (const [writer, directory] of Object.entries(written)) {
      const ways: Readonly<Record<string, () => Promise<Decoding>>> = {
        ourOne: () => one.decode(directory),
        theirOne: () => pyarrow.decode(directory, 1),
        ourAll: () => all.decode(directory),
        theirAll: () => pyarrow.decode(directory, threads),
      };
      const measured = await inTurns(ways);
      rows.push(...compared(`files of ${writer}, 1 thread`, 'pyarrow, 1 thread', measured.ourOne, measured.theirOne));
      rows.push(
        ...compared(`files of ${writer}, ${threads} threads`, `pyarrow, ${threads} threads`, measured.ourAll, measured.theirAll),
      );
    }
    const notes = [
      `A million rows of 19 columns each, medians of ${rounds} rounds over ${rowCount.toLocaleString('en')} rows, with a load of ${loadBefore.toFixed(1)} before.`,
    ];
    return { rows, notes };
  } finally {
    await Promise.all([one.stop(), all.stop(), pyarrow.stop()]);
    await rm(root, { recursive: true, force: true });
  }
}

/** All ways in turn, so that a slow moment of the machine hits all; a first round of each does not count. */
async function inTurns(ways: Readonly<Record<string, () => Promise<Decoding>>>): Promise<Readonly<Record<string, Decoding>>> {
  const found = new Map<string, Decoding[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, decode] of Object.entries(ways)) {
      const decoding = await decode();
      if (decoding.rows !== rowCount) throw new Error(`${name} read ${decoding.rows} of ${rowCount} rows.`);
      if (round > 0) found.set(name, [...(found.get(name) ?? []), decoding]);
    }
  }
  const middle = (decodings: readonly Decoding[]): Decoding => ({
    rows: rowCount,
    cpuSeconds: median(decodings.map(({ cpuSeconds }) => cpuSeconds)),
    wallSeconds: median(decodings.map(({ wallSeconds }) => wallSeconds)),
  });
  return Object.fromEntries([...found].map(([name, decodings]) => [name, middle(decodings)]));
}

function compared(work: string, peer: string, ours: Decoding | undefined, theirs: Decoding | undefined): readonly BenchRow[] {
  if (ours === undefined || theirs === undefined) throw new Error(`${work} was not measured.`);
  const millions = rowCount / 1e6;
  const row = (measure: string, value: number, peerValue: number, goal?: number): BenchRow =>
    benchRow({
      work: `${work}, ${measure}`,
      ours: value / millions,
      unit: 's',
      peer,
      peerValue: peerValue / millions,
      ...(goal === undefined ? {} : { goal }),
    });
  return [row('processor', ours.cpuSeconds, theirs.cpuSeconds, 1), row('clock', ours.wallSeconds, theirs.wallSeconds)];
}

/** The directories of the files, by who wrote them. */
async function writeFiles(root: string, python: string): Promise<Readonly<Record<string, string>>> {
  const [duckdb, pyarrow] = [join(root, 'duckdb'), join(root, 'pyarrow')];
  await Promise.all([mkdir(duckdb), mkdir(pyarrow)]);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const ids = columns.map(({ name }, index) => `"${name}": ${index + 1}`).join(', ');
  try {
    for (let file = 0; file < files; file++) {
      const [from = 0, to = 0] = [file, file + 1].map((each) => Math.floor((rowCount * each) / files));
      const path = quoteText(join(duckdb, `${file}.parquet`));
      await connection.run(`COPY (${rowsSql(from, to)}) TO ${path} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {${ids}})`);
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  output(python, [fileURLToPath(new URL('parquet/rewrite.py', import.meta.url)), duckdb, pyarrow]);
  return { DuckDB: duckdb, pyarrow };
}
