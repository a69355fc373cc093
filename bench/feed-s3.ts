import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openStorage } from '../src/storage/routed-storage.ts';
import type { ByteRange, Storage } from '../src/storage/storage.ts';
import { pythonEnvironment } from '../test/environment/python.ts';
import { ServerProcess } from '../test/http/server-process.ts';
import { type ObjectStore, startObjectStore } from '../test/s3/seaweedfs.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { startReader } from './feed/reader-process.ts';
import { columns, filesInTable, rowsSql, tableName } from './feed/rows.ts';
import { LineProcess } from './feed-s3/line-process.ts';
import { median } from './side-by-side.ts';

/** As many as `bench feed` reads, in as many files. */
const rows = Number(process.env.ICECORE_BENCH_ROWS ?? 20_000_000);
const rounds = 3;
/** One gigabit a second. */
const bytesPerSecond = 125_000_000;
const roundTripMs = 30;
/** As programs read objects quickly: ranges of some megabytes, several at a time. */
const getBytes = 8 * 1024 * 1024;
const getsAtOnce = 16;
const readMsMax = 300_000;
/** Read before the clock starts: a server that was just started loads its threads first, which bare GETs have not to do. */
const smallTable = 'bench.small';
const goal = 0.9;
const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }';

/** A first epoch, shuffled, from an object store at the end of a line of one gigabit and 30 ms, beside bare GETs of the same files. */
export async function benchFeedFromS3(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-feed-s3-'));
  const store = await startObjectStore();
  const line = await LineProcess.start(store.environment.AWS_ENDPOINT_URL_S3 ?? '', bytesPerSecond, roundTripMs);
  const place = { directory, store, line };
  try {
    await writeTable(place);
    const seconds: Record<'gets' | 'feed' | 'plan', number[]> = { gets: [], feed: [], plan: [] };
    let megabytes = 0;
    for (let round = 0; round < rounds; round++) {
      const gets = await bareGets(place);
      megabytes = gets.bytes / 1e6;
      seconds.gets.push(gets.seconds);
      seconds.feed.push(await epoch(place, 'feed'));
      seconds.plan.push(await epoch(place, 'plan'));
    }
    const peerValue = megabytes / median(seconds.gets);
    return (['feed', 'plan'] as const).map((via) =>
      benchRow({
        work: `${via}, first epoch, shuffled, Parquet of 1 Gbit/s and 30 ms`,
        ours: megabytes / median(seconds[via]),
        unit: 'MB/s',
        peer: 'bare GETs of the same files',
        peerValue,
        goal,
      }),
    );
  } finally {
    await line.stop();
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Place {
  readonly directory: string;
  readonly store: ObjectStore;
  readonly line: LineProcess;
}

async function startServer({ directory, store }: Place, endpoint?: string): Promise<ServerProcess> {
  const environment = {
    ...store.environment,
    ICECORE_WAREHOUSE: `s3://${store.bucket}/bench`,
    // Of this server alone: beside the catalog, the next one would find there what the first has decoded.
    ICECORE_CACHE_DIR: await mkdtemp(join(directory, 'cache-')),
    ...(endpoint === undefined ? {} : { AWS_ENDPOINT_URL_S3: endpoint }),
  };
  return await ServerProcess.start(environment, `sqlite:${join(directory, 'catalog.sqlite')}`);
}

/** Beside the line. */
async function writeTable(place: Place): Promise<void> {
  const server = await startServer(place);
  try {
    const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
    for (const name of [tableName, smallTable]) await server.data(create, { input: { name, columns } });
    await server.data(write, { input: { table: smallTable, mode: 'APPEND', rows: { sql: rowsSql(0, 1000) } } });
    for (let file = 0; file < filesInTable; file++) {
      const [from = 0, to = 0] = [file, file + 1].map((each) => Math.floor((rows * each) / filesInTable));
      await server.data(write, { input: { table: tableName, mode: 'APPEND', rows: { sql: rowsSql(from, to) } } });
    }
  } finally {
    await server.stop();
  }
}

/** Seconds of an epoch by a server that has cached nothing of the table, from the asking to the last row. */
async function epoch(place: Place, via: 'feed' | 'plan'): Promise<number> {
  const server = await startServer(place, place.line.url);
  try {
    const python = pythonEnvironment(fileURLToPath(new URL('../test/python/icecore.lock', import.meta.url)));
    const options = { table: tableName, url: server.origin, batchSize: 65_536, shuffle: 'WINDOWED', epoch: 0, via };
    const module = 'icecore_feed';
    await (await startReader({ python, module, options: { ...options, table: smallTable } }, readMsMax))();
    const figures = await (await startReader({ python, module, options }, readMsMax))();
    if (figures.rows !== rows) throw new Error(`${via} gave ${figures.rows} rows, not ${rows}`);
    return figures.end - figures.start;
  } finally {
    await server.stop();
  }
}

async function bareGets({ directory, store, line }: Place): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const warehouse = `s3://${store.bucket}/bench`;
  const environment = { ...store.environment, AWS_ENDPOINT_URL_S3: line.url };
  const storage = await openStorage({ warehouse, cacheDir: join(directory, 'gets'), environment });
  try {
    const ranges: { readonly location: string; readonly range: ByteRange }[] = [];
    let bytes = 0;
    for await (const { location, sizeBytes } of storage.list(warehouse)) {
      if (!location.endsWith('.parquet') || !location.includes(`/${tableName.replace('.', '/')}`)) continue;
      bytes += sizeBytes;
      for (let start = 0; start < sizeBytes; start += getBytes) {
        ranges.push({ location, range: { start, end: Math.min(start + getBytes, sizeBytes) } });
      }
    }
    const startMs = performance.now();
    await readAll(storage, ranges);
    return { seconds: (performance.now() - startMs) / 1000, bytes };
  } finally {
    await storage.close();
  }
}

async function readAll(
  storage: Storage,
  ranges: readonly { readonly location: string; readonly range: ByteRange }[],
): Promise<void> {
  const rest = ranges.values();
  const work = async (): Promise<void> => {
    for (const { location, range } of rest) await storage.read(location, range);
  };
  await Promise.all(Array.from({ length: getsAtOnce }, work));
}
