import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from '../../src/access/call.ts';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { caller } from '../environment/store.ts';

const signal = new AbortController().signal;
const as = (id: string, role: 'scientist' | 'approver'): Call => ({ caller: caller(id, [role]), key: null, input: null });
const ada = as('ada', 'scientist');

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-rotation-'));
  await serving('first', {}, approveModel);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The store as a server with this signing key sees it. */
async function serving<T>(
  key: string,
  environment: Readonly<Record<string, string>>,
  work: (icecore: Icecore) => Promise<T>,
): Promise<T> {
  const config = parseConfig([], {
    ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite`,
    ICECORE_SIGNING_KEY: `${directory}/${key}.pem`,
    ...environment,
  });
  const icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 });
  try {
    return await work(icecore);
  } finally {
    await icecore.close();
  }
}

async function approveModel(icecore: Icecore): Promise<void> {
  const columns = [{ name: 'n', type: 'long' }];
  const { uuid } = await icecore.tableOperations.createTable(ada, 'raw.rows', { columns });
  const rows = { table: 'raw.rows', branch: 'main', rows: { json: [{ n: 1 }] }, mode: 'APPEND', keys: null } as const;
  const { snapshot } = await icecore.rowWrites.write(ada, { ...rows, expectedSnapshotId: null }, signal);
  await icecore.models.register(ada, { name: 'late' });
  const version = await icecore.models.registerVersion(ada, {
    model: 'late',
    trainedOn: { table: { tableUuid: uuid, tableName: 'raw.rows', snapshotId: snapshot.snapshotId } },
    metrics: [],
    signature: {
      inputs: [{ name: 'n', type: 'long', required: true }],
      outputs: [{ name: 'p', type: 'double', required: true }],
    },
    artifactUri: null,
    artifactSha256: '0'.repeat(64),
    endpoint: { url: 'http://127.0.0.1:9', protocol: 'OPEN_INFERENCE_V2', model: 'late', version: null },
    authors: [],
  });
  await icecore.models.submit(ada, 'late', { number: 1 }, null);
  const review = { expectedDigest: version.digest, decision: 'APPROVE', meaning: 'I approve it.', comment: null } as const;
  await icecore.models.review(as('grace', 'approver'), 'late', { number: 1 }, review);
}

function score(icecore: Icecore): Promise<unknown> {
  return icecore.scoring.scoreBatch(ada, {
    modelVersion: { model: 'late', selector: { number: 1 } },
    source: { table: { table: { name: 'raw.rows' }, entityKeys: ['n'], asOf: 'n' } },
    into: 'predictions.late',
    batchSize: 10,
    concurrency: 1,
    maxFailedShare: 0,
  });
}

test('an approval by a key that the server does not know is none', async () => {
  await serving('second', {}, async (icecore) => {
    await expect(score(icecore)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect((await icecore.audit.verify()).firstFault).toContain('key');
  });
});

test('by a former key that it was told of it counts: what stands in the way then is the next check', async () => {
  await serving('second', { ICECORE_FORMER_KEYS: `${directory}/first.pem.pub` }, async (icecore) => {
    await expect(score(icecore)).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('127.0.0.1:9') });
    expect(await icecore.audit.verify()).toMatchObject({ consistent: true, firstFault: null });
  });
});

test('a file that holds no public key is refused by name', async () => {
  const opening = serving('second', { ICECORE_FORMER_KEYS: `${directory}/catalog.sqlite` }, async () => undefined);
  await expect(opening).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('catalog.sqlite') });
});
