import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { caller } from '../environment/store.ts';

const call = { caller: caller('ada', ['scientist', 'admin']), key: null, input: null };

let directory = '';
let icecore: Icecore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-maintenance-'));
  const config = parseConfig([], { ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite` });
  icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 });
});
afterAll(async () => {
  await icecore.close();
  await rm(directory, { recursive: true, force: true });
});

test('of several compactions at once each succeeds, also one that finds its work done', async () => {
  await icecore.tableOperations.createTable(call, 'raw.small', { columns: [{ name: 'n', type: 'long' }] });
  for (let n = 0; n < 5; n++) {
    const rows = { table: 'raw.small', branch: 'main', rows: { json: [{ n }] }, mode: 'APPEND', keys: null } as const;
    await icecore.rowWrites.write(call, { ...rows, expectedSnapshotId: null }, new AbortController().signal);
  }
  const input = { table: 'raw.small', targetFileSizeBytes: null, where: null, dryRun: false };
  const started = await Promise.all(Array.from({ length: 4 }, () => icecore.maintenance.compact(call, input)));
  const ended = await Promise.all(started.map(({ id }) => icecore.runs.ended(id, AbortSignal.timeout(60_000))));
  expect(ended.map(({ status, error }) => ({ status, error }))).toEqual(
    started.map(() => ({ status: 'SUCCEEDED', error: null })),
  );
  expect(ended.filter(({ outputs }) => outputs.length > 0)).toHaveLength(1);
});

test('manifests that cannot be fewer are left alone, and the run names no snapshot', async () => {
  await icecore.tableOperations.createTable(call, 'raw.single', { columns: [{ name: 'n', type: 'long' }] });
  const append = async (n: number) => {
    const rows = { table: 'raw.single', branch: 'main', rows: { json: [{ n }] }, mode: 'APPEND', keys: null } as const;
    await icecore.rowWrites.write(call, { ...rows, expectedSnapshotId: null }, new AbortController().signal);
  };
  const rewritten = async () => {
    const { id } = await icecore.maintenance.rewriteManifests(call, { table: 'raw.single', dryRun: false });
    return await icecore.runs.ended(id, AbortSignal.timeout(60_000));
  };
  const snapshots = async () => (await icecore.tables.load({ namespace: ['raw'], name: 'single' })).metadata.snapshots;
  await append(1);
  expect(await rewritten()).toMatchObject({ status: 'SUCCEEDED', result: { snapshotId: null }, outputs: [] });
  expect(await snapshots()).toHaveLength(1);
  await append(2);
  const { outputs } = await rewritten();
  expect(outputs.map(({ snapshotId }) => snapshotId)).toEqual([(await snapshots()).at(-1)?.snapshotId]);
});
