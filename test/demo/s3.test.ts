import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { s3ClientFrom } from '../../src/storage/s3-client.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { runDemo } from './run-demo.ts';

const reason = noObjectStore();
if (reason !== null) console.log(reason);

const s3DemoMsMax = 180_000;

describe.skipIf(reason !== null)('the demo on an object store', { timeout: s3DemoMsMax }, () => {
  let directory = '';
  let store: ObjectStore;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-demo-s3-'));
    store = await startObjectStore();
  });
  afterAll(async () => {
    await store?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('ends as on local disk, and its tables are in the bucket alone', async () => {
    const { bucket, environment } = store;
    const local = join(directory, 'store');
    const demo = await runDemo(local, { args: ['--warehouse', `s3://${bucket}/demo`], environment });
    expect(demo, demo.output).toMatchObject({ exitCode: 0 });
    expect(demo.output).toMatch(/made again from its pins: EXACT/);
    const client = s3ClientFrom(environment);
    const { Contents: objects = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: 'demo/' }));
    client.destroy();
    const keys = objects.map(({ Key }) => Key ?? '');
    for (const kind of ['.parquet', '.avro', '.metadata.json']) {
      expect(
        keys.filter((key) => key.endsWith(kind)),
        kind,
      ).not.toEqual([]);
    }
    expect(await readdir(local)).not.toContain('warehouse');
  });
});
