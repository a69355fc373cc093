import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ObjectStoreProxy } from '../environment/object-store-proxy.ts';
import { arrowType, rawBatches, subscribe } from '../feed/feed-client.ts';
import { trainingBatches } from '../feed/wide-table.ts';
import { ServerProcess } from '../http/server-process.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from './seaweedfs.ts';

/** As the writer cuts them. */
const groupRows = 122_880;
const groups = 104;
const commits = 4;
const lanes = 8;
const rows = groups * groupRows;
const table = 'raw.scattered';

const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }';
const plan = 'query ($table: String!) { table(name: $table) { scanPlan { bytesMatched rowsMatched } } }';

describe.skipIf(noObjectStore() !== null)('an epoch over S3', () => {
  let store: ObjectStore;
  let proxy: ObjectStoreProxy;
  let server: ServerProcess;
  /** Of all files of the table. */
  let fileBytes: number;
  beforeAll(async () => {
    store = await startObjectStore();
    proxy = await ObjectStoreProxy.start(store.environment.AWS_ENDPOINT_URL_S3 ?? '');
    server = await ServerProcess.start({
      ...store.environment,
      AWS_ENDPOINT_URL_S3: proxy.url,
      ICECORE_WAREHOUSE: `s3://${store.bucket}/training-reads`,
    });
    const columns = [
      { name: 'id', type: 'int' },
      { name: 'noise', type: 'float' },
    ];
    await server.data(create, { input: { name: table, columns } });
    for (let commit = 0; commit < commits; commit++) {
      const [from, to] = [(commit * rows) / commits, ((commit + 1) * rows) / commits];
      const sql = `SELECT range::INTEGER AS id, random()::FLOAT AS noise FROM range(${from}, ${to})`;
      await server.data(write, { input: { table, mode: 'APPEND', rows: { sql } } });
    }
    const { table: stored } = await server.data(plan, { table });
    expect(stored.scanPlan.rowsMatched).toBe(String(rows));
    fileBytes = Number(stored.scanPlan.bytesMatched);
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await proxy?.stop();
    await store?.stop();
  });

  /** The ids that one rank gets, each marked. */
  async function readRank(rank: number, worldSize: number, seen: Uint8Array): Promise<void> {
    const input = { source: { table: { name: table } }, columns: ['id', 'noise'], lanes, rank, worldSize, seed: '7' };
    const response = await subscribe({ origin: server.origin, query: trainingBatches, variables: { input }, accept: arrowType });
    const batches = await rawBatches(response);
    expect(batches.at(-1)?.metadata.get('icecore.last')).toBe('true');
    for (const { recordBatch } of batches) {
      for (const id of (recordBatch.getChildAt(0)?.toArray() ?? []) as Int32Array) seen[id] = (seen[id] ?? 0) + 1;
    }
  }

  test.each([1, 2, 4, 8])(
    'reads each row group once, and one more a lane at most, at world size %i',
    async (worldSize) => {
      await rm(join(server.directory, 'cache', 'feeds'), { recursive: true, force: true });
      proxy.forget();
      const seen = new Uint8Array(rows);
      await Promise.all(Array.from({ length: worldSize }, (_, rank) => readRank(rank, worldSize, seen)));
      expect(seen.every((times) => times === 1)).toBe(true);
      const most = (fileBytes * (groups + lanes - 1)) / groups;
      const { bytes } = proxy.reads('.parquet');
      expect(bytes).toBeLessThanOrEqual(most);
      expect(bytes).toBeGreaterThan(fileBytes / 2);
    },
    120_000,
  );
});
