import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cachePath } from '../../test/environment/built-once.ts';
import { ServerProcess } from '../../test/http/server-process.ts';

const run = promisify(execFile);
export const tableName = 'bench.feed';
/** Of directories beside the data that a run makes for itself. */
export const scratchPrefix = 'scratch-';
export const filesInTable = 60;
/** How many distinct texts. */
const texts = 1000;
/** MosaicML's rows: it reads thousands a second, and its rate is what counts. */
const mosaicRows = 200_000;

export const columns = [
  { name: 'id', type: 'long' },
  { name: 'customer', type: 'long' },
  { name: 'at', type: 'timestamp' },
  { name: 'updated', type: 'timestamp' },
  { name: 'origin', type: 'string' },
  ...Array.from({ length: 12 }, (_, index) => ({ name: `v${index + 1}`, type: 'double' })),
  { name: 'w1', type: 'float' },
  { name: 'w2', type: 'float' },
];

/** Those that tensors hold. */
export const numberColumns = columns.filter(({ type }) => type !== 'string').map(({ name }) => name);

/** Rows from..to: half of the doubles of full precision, one of them with a tenth of nulls, the others of cents. */
export function rowsSql(from: number, to: number): string {
  const uniform = (salt: number): string => `(hash(i, ${salt}) / 18446744073709551616.0)`;
  const doubles = Array.from({ length: 11 }, (_, index) => index + 2).map((salt) =>
    salt % 2 === 0 ? `(hash(i, ${salt}) % 100000) / 100.0::DOUBLE AS v${salt}` : `${uniform(salt)}::DOUBLE AS v${salt}`,
  );
  return `SELECT i AS id, (hash(i, 20) % 5000000)::BIGINT AS customer, TIMESTAMP '2020-01-01' + to_seconds(i) AS "at",
      TIMESTAMP '2020-01-01' + to_microseconds((hash(i, 21) % 100000000000000)::BIGINT) AS updated,
      'origin ' || lpad((hash(i, 22) % ${texts})::VARCHAR, 3, '0') AS origin,
      CASE WHEN hash(i, 23) % 10 = 0 THEN NULL ELSE ${uniform(1)}::DOUBLE END AS v1, ${doubles.join(', ')},
      ${uniform(30)}::FLOAT AS w1, ((hash(i, 31) % 1000) / 10)::FLOAT AS w2
    FROM range(${from}, ${to}) r(i)`;
}

/** The rows that are read, on local disk under `~/.cache/icecore`, in every form that a reader wants. */
export interface FeedRows {
  readonly rows: number;
  /** With Icecore's catalog and warehouse. */
  readonly directory: string;
  /** The table's 60 Parquet files. */
  readonly files: readonly string[];
}

/** Icecore's own table of `rows` rows, a commit a file. Written on first use, named by what is in it. */
export async function feedRows(rows: number): Promise<FeedRows> {
  const content = JSON.stringify({ rows, filesInTable, columns, sql: rowsSql(0, 1) });
  const directory = cachePath('bench-feed', createHash('sha256').update(content).digest('hex').slice(0, 16));
  const data = join(directory, 'warehouse', 'bench');
  await once(join(directory, 'written'), async () => {
    rmSync(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    await writeTable(rows, directory);
  });
  // Caches of a bench that was killed.
  for (const name of readdirSync(directory)) {
    if (name.startsWith(scratchPrefix)) rmSync(join(directory, name), { recursive: true, force: true });
  }
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.parquet'));
  if (files.length !== filesInTable)
    throw new Error(`${data} holds ${files.length} files, not ${filesInTable}; remove ${directory}.`);
  return { rows, directory, files: files.map((file) => join(data, file)) };
}

async function writeTable(rows: number, directory: string): Promise<void> {
  const server = await ServerProcess.start({}, `sqlite:${join(directory, 'catalog.sqlite')}`);
  try {
    await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
      input: { name: tableName, columns },
    });
    for (let file = 0; file < filesInTable; file++) {
      const [from = 0, to = 0] = [file, file + 1].map((each) => Math.floor((rows * each) / filesInTable));
      await server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
        input: { table: tableName, mode: 'APPEND', rows: { sql: rowsSql(from, to) } },
      });
    }
  } finally {
    await server.stop();
  }
}

/** The same rows as a Lance dataset: its directory. */
export async function lanceRows({ directory, files }: FeedRows, python: string): Promise<string> {
  const lance = join(directory, 'lance');
  await once(join(directory, 'lance-written'), async () => {
    rmSync(lance, { recursive: true, force: true });
    await script(python, 'write_lance.py', [lance, ...files]);
  });
  return lance;
}

/** The first of the same rows as MosaicML's shards: their directory and how many. */
export async function mosaicShards(
  { directory, files, rows }: FeedRows,
  python: string,
): Promise<{ readonly directory: string; readonly rows: number }> {
  const shards = { directory: join(directory, 'mds'), rows: Math.min(rows, mosaicRows) };
  await once(join(directory, 'mds-written'), async () => {
    rmSync(shards.directory, { recursive: true, force: true });
    await script(python, 'write_mds.py', [shards.directory, String(shards.rows), ...files]);
  });
  return shards;
}

async function script(python: string, name: string, args: readonly string[]): Promise<void> {
  await run(python, [fileURLToPath(new URL(name, import.meta.url)), ...args], { maxBuffer: 16 * 1024 * 1024 });
}

/** Does the work unless it is marked as done. */
async function once(mark: string, work: () => Promise<void>): Promise<void> {
  if (existsSync(mark)) return;
  await work();
  writeFileSync(`${mark}.new`, '');
  renameSync(`${mark}.new`, mark);
}
