import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordBatchReader } from 'apache-arrow';
import { expect, test } from 'vitest';
import { subscribe } from '../feed/feed-client.ts';
import { ServerProcess } from '../http/server-process.ts';
import { SeenRows } from './seen-rows.ts';

/** Fewer to try the soak itself. */
const rowCount = Number(process.env.ICECORE_SOAK_ROWS ?? 300_000_000);
const commits = 30;
/** Where the server is killed: after this share of the epoch. */
const killedAfter = 0.4;
const memoryBytesMax = 1e9;

const table = 'soak.rows';
const columns = [
  { name: 'id', type: 'long', required: true },
  { name: 'label', type: 'int' },
  { name: 'value', type: 'double' },
  { name: 'weight', type: 'float' },
];
const query = 'subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { cursor } }';

/**
 * One shuffled epoch over HTTP of 300 million rows in four columns; the server is killed in mid-epoch, and another one, with an empty
 * cache, goes on from the last cursor. Every row comes once, with its values, and neither server takes a gigabyte.
 */
test('an epoch of 300 million rows, resumed on another server', { timeout: 2 * 3_600_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-soak-feed-'));
  const catalog = `sqlite:${join(directory, 'catalog.sqlite')}`;
  try {
    const startMs = performance.now();
    await writeRows(catalog);
    console.log(`${rowCount.toLocaleString('en')} rows written in ${secondsSince(startMs)} s`);
    const seen = new SeenRows(rowCount);
    const first = await readEpoch(catalog, join(directory, 'first-cache'), seen, null, rowCount * killedAfter);
    expect(first.last).toBe(false);
    expect(seen.count).toBeLessThan(rowCount);
    await rm(join(directory, 'first-cache'), { recursive: true, force: true });
    const second = await readEpoch(catalog, join(directory, 'second-cache'), seen, first.cursor, Number.POSITIVE_INFINITY);
    expect(second.last).toBe(true);
    seen.requireAll();
    for (const { peakBytes } of [first, second]) expect(peakBytes).toBeLessThan(memoryBytesMax);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

async function writeRows(catalog: string): Promise<void> {
  const server = await ServerProcess.start({}, catalog);
  try {
    await server.data('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
      input: { name: table, columns },
    });
    for (let commit = 0; commit < commits; commit++) {
      const [from = 0, to = 0] = [commit, commit + 1].map((each) => Math.floor((rowCount * each) / commits));
      const sql = `SELECT i AS id, (i % 10)::INT AS label, i / 4.0::DOUBLE AS value, (i % 1000)::FLOAT AS weight FROM range(${from}, ${to}) r(i)`;
      await server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
        input: { table, mode: 'APPEND', rows: { sql } },
      });
    }
  } finally {
    await server.stop();
  }
}

interface Read {
  readonly cursor: string | null;
  readonly last: boolean;
  readonly peakBytes: number;
}

/** Reads on a server of its own until so many rows were seen in all, and then kills it. */
async function readEpoch(
  catalog: string,
  cacheDirectory: string,
  seen: SeenRows,
  from: string | null,
  until: number,
): Promise<Read> {
  await mkdir(cacheDirectory);
  const server = await ServerProcess.start({ ICECORE_CACHE_DIR: cacheDirectory }, catalog);
  const startMs = performance.now();
  const before = seen.count;
  try {
    const input = { source: { table: { name: table } }, seed: '6', ...(from === null ? {} : { cursor: from }) };
    const response = await subscribe({
      origin: server.origin,
      query,
      variables: { input },
      accept: 'application/vnd.apache.arrow.stream',
    });
    expect(response.statusCode).toBe(200);
    let read: Omit<Read, 'peakBytes'> = { cursor: from, last: false };
    for await (const batch of await RecordBatchReader.from(response)) {
      seen.add(batch);
      read = { cursor: batch.metadata.get('icecore.cursor') ?? null, last: batch.metadata.get('icecore.last') === 'true' };
      if (seen.count >= until) break;
    }
    const { peakBytes } = server.memory();
    const rate = Math.round((seen.count - before) / Number(secondsSince(startMs))).toLocaleString('en');
    console.log(
      `${(seen.count - before).toLocaleString('en')} rows at ${rate}/s, server at most ${Math.round(peakBytes / 1e6)} MB`,
    );
    return { ...read, peakBytes };
  } finally {
    await server.stop();
  }
}

function secondsSince(startMs: number): string {
  return ((performance.now() - startMs) / 1000).toFixed(1);
}
