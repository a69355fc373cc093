import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../src/access/call.ts';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { caller } from '../environment/store.ts';

const call: Call = { caller: caller('ada', ['scientist', 'admin']), key: null, input: null };
const signal = new AbortController().signal;

let directory = '';
let icecore: Icecore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-operations-'));
  const config = parseConfig([], { ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite` });
  icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 });
});
afterAll(async () => {
  await icecore.close();
  await rm(directory, { recursive: true, force: true });
});

async function write(table: string, json: readonly unknown[]): Promise<void> {
  const rows = { table, branch: 'main', rows: { json }, mode: 'APPEND', keys: null, expectedSnapshotId: null } as const;
  await icecore.rowWrites.write(call, rows, signal);
}

test('a purge leaves the files of a table whose namespace lies below the dropped one', async () => {
  const columns = [{ name: 'n', type: 'long' }];
  const { metadata } = await icecore.tableOperations.createTable(call, 'raw.outer', { columns });
  await write('raw.outer', [{ n: 1 }]);
  const folder = metadata.location.slice(metadata.location.lastIndexOf('/') + 1);
  const inner = `raw.${folder}.inner`;
  const { metadata: innerMetadata } = await icecore.tableOperations.createTable(call, inner, { columns });
  expect(innerMetadata.location.startsWith(`${metadata.location}/`)).toBe(true);
  await write(inner, [{ n: 7 }]);

  await icecore.tableOperations.dropTable(call, 'raw.outer', true);

  const { rows } = await icecore.selects.run(
    { statement: `SELECT n FROM raw."${folder}".inner`, parameters: [], engine: 'EMBEDDED' },
    10,
    signal,
  );
  expect(rows).toEqual([{ n: '7' }]);
  const left = await readdir(metadata.location.replace('file://', ''), { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile()).every((entry) => entry.parentPath.includes('/inner-'))).toBe(true);
});

test('the names of pins cannot be taken in advance', async () => {
  const { uuid } = await icecore.tableOperations.createTable(call, 'raw.named', { columns: [{ name: 'n', type: 'long' }] });
  await write('raw.named', [{ n: 1 }]);
  const table = await icecore.tables.findByUuid(uuid);
  const snapshotId = table?.metadata.currentSnapshotId ?? null;
  for (const name of ['training-set/late/v1', 'icecore-model-late-v1']) {
    const move = { table: 'raw.named', name, type: 'TAG', snapshotId, maxRefAgeMicros: null } as const;
    await expect(icecore.tableOperations.setSnapshotRef(call, move)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  }
  expect(Object.keys((await icecore.tables.findByUuid(uuid))?.metadata.refs ?? {})).toEqual(['main']);
});
