import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localCaller } from '../../src/access/local-caller.ts';
import { verifySignature } from '../../src/audit/signing-key.ts';
import { ManualClock } from '../../src/clock.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import { decisionBytes } from '../../src/models/decision.ts';
import type { ModelVersion } from '../../src/models/model.ts';
import { modelVersionRow, modelVersionTable } from '../../src/models/model-version-table.ts';
import { trainingPinTag } from '../../src/models/training-pin.ts';
import { expireSnapshots } from '../../src/tables/actions/expire-snapshots.ts';
import type { TableSnapshotRef } from '../../src/tables/table.ts';
import { trainingSetRow, trainingSetTable } from '../../src/training/training-set-table.ts';
import { caller, Store } from '../environment/store.ts';
import { ada, append, ben, both, call, newVersion, review, submitted, trainingTable } from './registered-model.ts';

const day = 86_400_000_000n;
const clock = new ManualClock(1_790_000_000_000_000n);
let store: Store;
let table: TableSnapshotRef;

beforeAll(async () => {
  store = await Store.open({ clock });
  table = await trainingTable(store, 'rows');
  await store.models.register(call(ada), { name: 'delays' });
});
afterAll(() => store.close());

const approved = async (model = 'delays') => review(store, ben, await submitted(store, model, table), 'APPROVE');

describe('registering', () => {
  test('a model is registered once and changed afterwards', async () => {
    const model = await store.models.register(call(ada), { name: 'churn', owner: 'growth', riskTier: 'high' });
    expect(model).toMatchObject({ owner: 'growth', protectedAliases: ['champion'], registeredBy: { id: 'ada' } });
    await expect(store.models.register(call(ada), { name: 'churn' })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(await store.models.update(call(ada), { name: 'churn', description: 'who leaves' })).toMatchObject({
      description: 'who leaves',
      owner: 'growth',
    });
    await expect(store.models.update(call(ada), { name: 'gone' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.models.register(call(ada), { name: '../churn' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(store.models.register(call(ben), { name: 'other' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('taking the protection off an alias is for approvers', async () => {
    await store.models.register(call(ada), { name: 'guarded' });
    const bare = { name: 'guarded', protectedAliases: [] };
    await expect(store.models.update(call(ada), bare)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await store.models.update(call(both('cleo')), bare)).protectedAliases).toEqual([]);
  });

  test('a version needs a training snapshot that exists, a signature and a digest', async () => {
    const refused = async (rest: Parameters<typeof newVersion>[2]) =>
      store.models.registerVersion(call(ada), newVersion('delays', table, rest));
    await expect(refused({ trainedOn: { table: { ...table, snapshotId: 7n } } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(refused({ trainedOn: { table: { ...table, tableUuid: 'none' } } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(refused({ trainedOn: { trainingSet: { name: 'none', version: 1 } } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(refused({ artifactSha256: 'abc' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(refused({ signature: { inputs: [], outputs: [] } })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    const odd = { inputs: [{ name: 'x', type: 'dubble', required: true }], outputs: [] };
    await expect(refused({ signature: odd })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(refused({ model: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.models.read.versions('delays', { first: 10, after: null })).toEqual([]);
  });

  test('the training snapshot is pinned in the same commit, and expiry keeps it', async () => {
    const mine = await trainingTable(store, 'pinned');
    await store.models.register(call(ada), { name: 'pinning' });
    await store.models.registerVersion(call(ada), newVersion('pinning', mine));
    const pinned = await store.tables.load({ namespace: ['training'], name: 'pinned' });
    const tag = trainingPinTag('pinning', 1);
    expect(pinned.metadata.refs[tag]).toMatchObject({ snapshotId: mine.snapshotId, maxRefAgeMs: neverExpiresMs });
    const later = await append(store, pinned, 'SELECT 2.5::DOUBLE AS x, false AS late');
    const expiry = store.tables.transaction();
    expiry.change(
      later,
      expireSnapshots({ olderThanMs: Number.MAX_SAFE_INTEGER, keepLast: 1 }, () => {}),
    );
    const [after] = (await expiry.commit()).tables;
    expect(after?.metadata.snapshots.map(({ snapshotId }) => snapshotId)).toContain(mine.snapshotId);
    const [edge] = (await store.lineage.graph({ of: [{ kind: 'MODEL_VERSION', uuid: 'pinning', version: '1', name: '' }] }))
      .edges;
    expect(edge?.from).toMatchObject({ kind: 'TABLE', uuid: mine.tableUuid, version: mine.snapshotId.toString() });
  });

  test('numbers are never used twice, also by two servers at once', async () => {
    const other = await Store.open({ clock }, store.directory);
    await store.models.register(call(ada), { name: 'busy' });
    const versions = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? store : other).models.registerVersion(call(ada), newVersion('busy', table)),
      ),
    );
    expect(versions.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    await other.close();
  });

  test('a repetition under the same key has no second effect, another input is a conflict', async () => {
    await store.models.register(call(ada), { name: 'twice' });
    const input = newVersion('twice', table);
    const keyed = call(ada, 'key-1', { a: 1 });
    const [first, second] = await Promise.all([
      store.models.registerVersion(keyed, input),
      store.models.registerVersion(keyed, input),
    ]);
    expect(first.version).toBe(1);
    expect(second).toEqual(first);
    expect(await store.models.registerVersion(keyed, input)).toEqual(first);
    await expect(store.models.registerVersion(call(ada, 'key-1', { a: 2 }), input)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await store.models.read.versions('twice', { first: 10, after: null })).toHaveLength(1);
  });
});

describe('four eyes', () => {
  test('the steps of a life, and those that are not allowed', async () => {
    let version = await store.models.registerVersion(call(ada), newVersion('delays', table));
    const selector = { number: version.version };
    await expect(review(store, ben, version, 'APPROVE')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    version = await store.models.submit(call(ada), 'delays', selector, 'please');
    await expect(store.models.submit(call(ada), 'delays', selector, null)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(review(store, ben, version, 'SUSPEND')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    version = await review(store, ben, version, 'APPROVE');
    expect(version).toMatchObject({ status: 'APPROVED', approvedBy: { id: 'ben' }, approvedAtMicros: clock.nowMicros() });
    await expect(review(store, ben, version, 'REJECT')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    // The author may stop it; to let it go on takes another again.
    version = await review(store, both('ada'), version, 'SUSPEND');
    await expect(review(store, both('ada'), version, 'APPROVE')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    version = await review(store, ben, version, 'APPROVE');
    version = await review(store, ben, version, 'RETIRE');
    await expect(review(store, ben, version, 'APPROVE')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    const kinds = (await store.models.read.decisions('delays', version.version)).map(({ kind }) => kind);
    expect(kinds).toEqual(['APPROVE', 'SUSPEND', 'APPROVE', 'RETIRE']);
    expect((await review(store, ben, await submitted(store, 'delays', table), 'REJECT')).status).toBe('REJECTED');
  });

  test('no author approves: who registered, who submitted, who was named, who made the training set', async () => {
    const training = { name: 'flights', version: 1 };
    await store.catalog.commit({ entries: [store.ledger.draft(trainingSetTable, trainingSetRow(trainingSetBy('maker')))] });
    await featureSetNamed('hourly');
    const input = newVersion('delays', table, { trainedOn: { trainingSet: training }, authors: ['named'] });
    const draft = await store.models.registerVersion(call(ada), input);
    const version = await store.models.submit(call(caller('sam', ['scientist'])), 'delays', { number: draft.version }, null);
    expect(version.authors).toEqual(['ada', 'maker', 'named', 'sam']);
    for (const author of version.authors) {
      await expect(review(store, both(author), version, 'APPROVE')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect((await store.models.read.pendingApprovals(both('sam'), { first: 100, after: null })).map(idOf)).not.toContain(
      idOf(version),
    );
    expect((await store.models.read.pendingApprovals(ben, { first: 100, after: null })).map(idOf)).toContain(idOf(version));
    expect((await review(store, ben, version, 'APPROVE')).status).toBe('APPROVED');
    expect(await store.models.read.trainedOn(training, { first: 10, after: null })).toHaveLength(1);
  });

  test('agents and services approve nothing, and nobody without the role', async () => {
    const version = await submitted(store, 'delays', table);
    for (const kind of ['AGENT', 'SERVICE'] as const) {
      const machine = caller('machine', ['approver'], kind);
      await expect(review(store, machine, version, 'APPROVE')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    for (const roles of [['scientist'], ['viewer'], ['admin']] as const) {
      await expect(review(store, caller('zoe', roles), version, 'APPROVE')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect((await review(store, caller('machine', ['approver'], 'AGENT'), version, 'REJECT')).status).toBe('REJECTED');
  });

  test('a decision is bound to the digest, and signed so that anyone can check it', async () => {
    const version = await submitted(store, 'delays', table);
    await expect(review(store, ben, version, 'APPROVE', 'f'.repeat(64))).rejects.toMatchObject({ code: 'CONFLICT' });
    await review(store, ben, version, 'APPROVE');
    const [decision] = await store.models.read.decisions('delays', version.version);
    if (decision === undefined) throw new Error('There is no decision.');
    expect(decision).toMatchObject({ digest: version.digest, assurance: 'CREDENTIAL', keyId: store.signingKey.keyId });
    const { signature, ...signed } = decision;
    const isGood = (claim: typeof signed) =>
      verifySignature(store.signingKey.publicKey, decisionBytes(version, claim), signature);
    expect(isGood(signed)).toBe(true);
    expect(isGood({ ...signed, meaning: 'I saw nothing' })).toBe(false);
    expect(isGood({ ...signed, by: { ...signed.by, id: 'ada' } })).toBe(false);
  });

  test('a version whose recorded content was changed cannot be decided on', async () => {
    const version = await submitted(store, 'delays', table);
    const changed: ModelVersion = { ...version, metrics: [{ name: 'auc', value: 0.99, split: null, dataset: null }] };
    await store.catalog.commit({ entries: [store.ledger.draft(modelVersionTable, modelVersionRow(changed))] });
    await expect(review(store, ben, version, 'APPROVE')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('everything that was decided is in the audit chain', async () => {
    const version = await approved();
    const { entries } = await store.audit.entries({ subject: `model_version/delays@${version.version}` });
    expect(entries.map(({ action, actor_id }) => [action, actor_id])).toEqual([
      ['reviewModelVersion', 'ben'],
      ['submitModelVersion', 'ada'],
      ['registerModelVersion', 'ada'],
    ]);
    expect((await store.audit.verify()).consistent).toBe(true);
  });
});

describe('a server without access control', () => {
  test('approves nothing', async () => {
    const version = await submitted(store, 'delays', table);
    await expect(review(store, localCaller, version, 'APPROVE')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  test('approves when allowed to, and says that nobody checked who it was', async () => {
    const local = await Store.open({ clock, allowLocalApproval: true }, store.directory);
    const draft = await local.models.registerVersion(call(localCaller), newVersion('delays', table));
    const version = await local.models.submit(call(localCaller), 'delays', { number: draft.version }, null);
    expect((await review(local, localCaller, version, 'APPROVE')).status).toBe('APPROVED');
    expect(await local.models.read.decisions('delays', version.version)).toMatchObject([{ assurance: 'LOCAL' }]);
    await local.close();
  });
});

describe('aliases', () => {
  const move = (alias: string, version: number | null, expectedVersion?: number | null) => ({
    model: 'aliased',
    alias,
    version,
    reason: 'because',
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  });
  beforeAll(async () => {
    await store.models.register(call(ada), { name: 'aliased' });
    for (let n = 0; n < 2; n++) await approved('aliased');
    await submitted(store, 'aliased', table);
  });

  test('a protected one moves by an approver and to an approved version only', async () => {
    await expect(store.models.setAlias(call(ada), move('champion', 1))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(store.models.setAlias(call(ben), move('champion', 3))).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(store.models.setAlias(call(ben), move('champion', 9))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.models.setAlias(call(ada), move('candidate', 3))).toMatchObject({ version: 3, protected: false });
  });

  test('its history says where it stood on a date', async () => {
    const before = clock.nowMicros();
    clock.advance(day);
    await store.models.setAlias(call(ben), move('champion', 1, null));
    clock.advance(day);
    await expect(store.models.setAlias(call(ben), move('champion', 2, null))).rejects.toMatchObject({ code: 'CONFLICT' });
    await store.models.setAlias(call(ben), move('champion', 2, 1));
    clock.advance(day);
    expect(await store.models.setAlias(call(ben), move('champion', null))).toBeNull();
    const { read } = store.models;
    const standing = await Promise.all(
      [0n, day, 2n * day - 1n, 2n * day, 3n * day].map((offset) =>
        read.select('aliased', { alias: 'champion' }, before + offset),
      ),
    );
    expect(standing.map((version) => version?.version ?? null)).toEqual([null, 1, 1, 2, null]);
    const history = await read.aliasHistory('aliased', 'champion', { first: 10, after: null });
    expect(history.map(({ from, to }) => [from, to])).toEqual([
      [2, null],
      [1, 2],
      [null, 1],
    ]);
    expect((await read.aliases('aliased')).map(({ name }) => name)).toEqual(['candidate']);
    await expect(read.require('aliased', { alias: 'champion' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

function idOf({ model, version }: ModelVersion): string {
  return `${model} ${version}`;
}

function trainingSetBy(maker: string) {
  return {
    name: 'flights',
    version: 1,
    data: table,
    spine: table,
    spineEventTime: 'at',
    labels: ['late'],
    sources: [],
    featureSnapshots: [],
    featureSet: { name: 'hourly', version: 1 },
    options: { boundary: 'INCLUSIVE', knowledge: 'IGNORE', onTie: 'ERROR', nulls: 'KEEP', matchStatus: false },
    split: null,
    rowCount: 1n,
    digest: 'cd'.repeat(32),
    redacted: false,
    ruleVersion: '1',
    createdAtMicros: 0n,
    createdBy: caller(maker, []).actor,
    runId: 'run',
  } as const;
}

async function featureSetNamed(name: string): Promise<void> {
  const columns = [
    { name: 'k', type: 'long', required: true },
    { name: 'at', type: 'timestamp', required: true },
    { name: 'x', type: 'double' },
  ];
  await store.features.createFeatureTable(call(ada), {
    name: 'features.hourly',
    columns,
    entityKeys: ['k'],
    eventTime: 'at',
  } as Parameters<typeof store.features.createFeatureTable>[1]);
  await store.featureSets.createFeatureSet(call(ada), { name, features: [{ table: 'features.hourly', feature: 'x' }] });
}
