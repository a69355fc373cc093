import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerProcess } from '../http/server-process.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { icecorePython, type ReadTraining, readTraining } from './python-reader.ts';

const table = 'raw.rows';
const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }';
const columns = [
  { name: 'n', type: 'long', required: true },
  { name: 'text', type: 'string' },
  { name: 'few', type: 'string' },
  { name: 'noise', type: 'double' },
];
/** The connections to the store, from the first on, end behind so many bytes of its answers. */
const cuts = [0, 1_000, 40_000, 70_000, 200_000, 500_000, 800_000];

describe.skipIf(noObjectStore() !== null)('a plan whose files are read by signed URLs', () => {
  let objects: ObjectStore;
  let server: ServerProcess;
  let proxy: CuttingProxy;
  beforeAll(async () => {
    icecorePython();
    objects = await startObjectStore();
    const target = Number(new URL(objects.environment.AWS_ENDPOINT_URL_S3 ?? '').port);
    proxy = await CuttingProxy.start(target, (connection) => {
      const afterBytes = cuts[connection];
      return afterBytes === undefined ? null : { afterBytes };
    });
    server = await ServerProcess.start({
      ...objects.environment,
      ICECORE_WAREHOUSE: `s3://${objects.bucket}/plans`,
      ICECORE_CLIENT_S3_ENDPOINT: proxy.origin,
    });
    await server.data(create, { input: { name: table, columns } });
    for (const [from, to] of [
      [0, 250_000],
      [250_000, 300_000],
    ]) {
      const sql = `SELECT range AS n, CASE WHEN range % 5 = 0 THEN NULL ELSE 'row ' || range END AS text,
        CASE WHEN range % 7 = 0 THEN NULL ELSE 'one of ' || range % 20 END AS few, random() AS noise FROM range(${from}, ${to})`;
      await server.data(write, { input: { table, mode: 'APPEND', rows: { sql } } });
    }
  }, 300_000);
  afterAll(async () => {
    await server?.stop();
    await proxy?.stop();
    await objects?.stop();
  });

  const both = async (asked: Readonly<Record<string, unknown>>): Promise<readonly (ReadTraining | undefined)[]> => {
    const common = { table, url: server.origin, batch_size: 20_000, seed: 4, ...asked };
    return await Promise.all(['plan', 'feed'].map((via) => readTraining({ ...common, via })));
  };

  it('gives the rows of the feed, over connections to the store that are cut', async () => {
    const [plan, feed] = await both({});
    expect(plan).toEqual(feed);
    expect(plan?.rowsTotal).toBe(300_000);
    expect(proxy.connections).toBeGreaterThan(cuts.length);
  });

  it('reads chosen columns and matching rows', async () => {
    const [plan, feed] = await both({ columns: ['few', 'n'], where: "few = 'one of 3' OR n < 1000", rank: 1, world_size: 2 });
    expect(plan).toEqual(feed);
    expect(plan?.batches.length).toBe(1);
  });
});
