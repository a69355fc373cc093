import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LineageRef } from '../../src/lineage/lineage-record.ts';
import { worstStates } from '../../src/lineage/worst-state.ts';
import { modelVersionRow, modelVersionTable } from '../../src/models/model-version-table.ts';
import { versionStates } from '../../src/models/version-states.ts';
import { Store } from '../environment/store.ts';
import { ada, call, newVersion, trainingTable } from './registered-model.ts';

let store: Store;
beforeAll(async () => {
  store = await Store.open();
});
afterAll(() => store.close());

test('a version that rests on erased rows is REDACTED, and no other', async () => {
  const table = await trainingTable(store, 'late');
  await store.models.register(call(ada), { name: 'late' });
  const first = await store.models.registerVersion(call(ada), newVersion('late', table));
  await store.models.registerVersion(call(ada), newVersion('late', table));
  const draft = store.ledger.draft(modelVersionTable, modelVersionRow({ ...first, redacted: true }));
  await store.catalog.commit({ entries: [draft] });
  const version = (number: string): LineageRef => ({ kind: 'MODEL_VERSION', uuid: 'late', version: number, name: 'late' });
  const set: LineageRef = { kind: 'TRAINING_SET', uuid: 'late', version: '1', name: 'late' };
  expect(await versionStates(store.ledger, [version('1'), version('2'), set])).toEqual(['REDACTED', 'PRESENT', 'PRESENT']);
});

test('what the parts know together: hidden before redacted before deleted', async () => {
  const refs = ['1', '2', '3', '4'].map((version): LineageRef => ({ kind: 'TABLE', uuid: 'u', version, name: 't' }));
  const parts = [
    async () => ['PRESENT', 'DELETED', 'REDACTED', 'HIDDEN'] as const,
    async () => ['PRESENT', 'PRESENT', 'DELETED', 'REDACTED'] as const,
  ];
  expect(await worstStates(refs, parts)).toEqual(['PRESENT', 'DELETED', 'REDACTED', 'HIDDEN']);
});
