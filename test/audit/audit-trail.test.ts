import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/access/caller.ts';
import { localCaller } from '../../src/access/local-caller.ts';
import { Audit } from '../../src/audit/audit.ts';
import { auditLog } from '../../src/audit/audit-entry.ts';
import { auditTrail } from '../../src/audit/audit-trail.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { auditSubject } from '../../src/audit/subject.ts';
import type { CatalogChange } from '../../src/catalog/catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { IcebergLedgerStore } from '../../src/ledger/iceberg-ledger-store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Lineage } from '../../src/lineage/lineage.ts';
import { lineageEdgeTable } from '../../src/lineage/lineage-edge-table.ts';
import type { LineageRef } from '../../src/lineage/lineage-record.ts';
import { expiryEdges, TableHistory } from '../../src/lineage/table-history.ts';
import { expireSnapshots } from '../../src/tables/actions/expire-snapshots.ts';
import type { Table } from '../../src/tables/table.ts';
import { Warehouse } from '../tables/warehouse.ts';

const ana: Caller = { actor: { id: 'ana', name: 'Ana', kind: 'HUMAN' }, roles: new Set(['scientist']), assurance: 'CREDENTIAL' };
const bob: Caller = { ...ana, actor: { id: 'bob', name: null, kind: 'HUMAN' } };

describe('the audit trail', () => {
  let warehouse: Warehouse;
  let ledger: Ledger;
  let audit: Audit;
  let lineage: Lineage;

  beforeEach(async () => {
    warehouse = await Warehouse.open();
    const { catalog, tables } = warehouse;
    ledger = await Ledger.open({
      catalog,
      store: new IcebergLedgerStore(tables),
      indexDirectory: join(warehouse.directory, 'index'),
      tables: [auditLog, lineageEdgeTable],
      flushIntervalMs: null,
    });
    const history = new TableHistory(tables);
    audit = new Audit({
      catalog,
      ledger,
      clock: systemClock,
      signingKey: SigningKey.ephemeral(),
      anchor: null,
      workDirectory: warehouse.directory,
    });
    lineage = new Lineage({
      ledger,
      clock: systemClock,
      states: (refs) => history.states(refs),
      implied: (refs, direction, limit) => history.implied(refs, direction, limit),
    });
    await warehouse.create('raw.flights', { columns: [{ name: 'a', type: 'int' }] });
  });
  afterEach(async () => {
    await ledger.close();
    await warehouse.close();
  });

  const now = (table: Table): LineageRef => ({
    kind: 'TABLE',
    uuid: table.uuid,
    version: String(table.metadata.currentSnapshotId),
    name: 'raw.flights',
  });
  const act = (caller: Caller, action: string, subject: string, change: CatalogChange = {}) =>
    warehouse.catalog.commit({
      ...change,
      links: [audit.link({ caller, action, subject, outcome: 'SUCCEEDED', payload: { action } })],
    });
  const write = async (caller: Caller): Promise<LineageRef> => {
    const ref = now(await warehouse.append('raw.flights', 'SELECT 1 AS a'));
    await act(caller, 'writeRows', auditSubject(ref));
    return ref;
  };
  const model: LineageRef = { kind: 'MODEL_VERSION', uuid: 'churn', version: '1', name: 'churn' };
  const train = async (from: LineageRef, caller = ana) => {
    await act(caller, 'trainModel', 'run/r1', {
      entries: lineage.drafts(
        [{ from, to: { kind: 'TRAINING_SET', uuid: 'set', version: '1', name: 'set' }, runId: 'r1', columns: [] }],
        caller,
      ),
    });
    await act(caller, 'registerModelVersion', auditSubject(model), {
      entries: lineage.drafts(
        [{ from: { kind: 'TRAINING_SET', uuid: 'set', version: '1', name: 'set' }, to: model, runId: null, columns: [] }],
        caller,
      ),
    });
  };
  const trail = () => auditTrail({ audit, lineage, ledger }, [model]);

  test('every step from the first rows on, in the order of the chain, runs included', async () => {
    const table = await warehouse.load('raw.flights');
    await act(bob, 'createTable', `table/${table.uuid}`);
    await write(bob);
    const second = await write(bob);
    await train(second);
    // After the fact, and about the table alone: no step of this.
    await act(bob, 'alterTable', `table/${table.uuid}`);
    await audit.refused(bob, 'reviewModelVersion', auditSubject(model), new Error('no'));
    const found = await trail();
    expect(found.missing).toEqual([]);
    expect(found.complete).toBe(true);
    expect(found.steps.map((step) => [step.kind, step.by?.id, step.node.kind, step.entrySeq])).toEqual([
      ['createTable', 'bob', 'TABLE', 1n],
      ['writeRows', 'bob', 'TABLE', 2n],
      ['writeRows', 'bob', 'TABLE', 3n],
      ['trainModel', 'ana', 'RUN', 4n],
      ['registerModelVersion', 'ana', 'MODEL_VERSION', 5n],
    ]);
    expect(found.assurance).toBe('CREDENTIAL');
    expect(found.chain).toMatchObject({ consistent: true, headSeq: 7n });
  });

  test('a step that nobody recorded is missing, and said', async () => {
    await write(bob);
    // As another engine would, past Icecore.
    const foreign = now(await warehouse.append('raw.flights', 'SELECT 2 AS a'));
    await train(foreign);
    const found = await trail();
    expect(found.complete).toBe(false);
    expect(found.missing).toEqual([`raw.flights@${foreign.version} has no entry in the chain.`]);
    expect(found.steps[0]).toMatchObject({ kind: 'UNRECORDED', by: null, entrySeq: null });
  });

  test('a model version that something was made with needs an approval; acts that a run and its output both tell of are told once', async () => {
    await train(await write(bob));
    const table = now(await warehouse.append('raw.flights', 'SELECT 3 AS a'));
    const made: LineageRef = { ...table, uuid: '5f0c7d0e-58b5-4f9c-a7d6-1d1f0f3f0a11', name: 'predictions.churn' };
    const run: LineageRef = { kind: 'RUN', uuid: 'r2', version: null, name: 'r2' };
    const entries = lineage.drafts([{ from: model, to: made, runId: 'r2', columns: [] }], ana);
    await act(ana, 'scoreBatch', auditSubject(made), { entries });
    await act(ana, 'scoreBatch', auditSubject(run));
    const of = (ref: LineageRef) => auditTrail({ audit, lineage, ledger }, [ref]);
    // The table is none that is there: its origin is known, so it is no gap.
    expect((await of(made)).missing).toEqual(['churn@1 was used, and no approval of it is in the chain.']);
    expect((await trail()).missing).toEqual([]);
    await warehouse.catalog.commit({
      links: ['REJECT', 'APPROVE'].map((decision) =>
        audit.link({
          caller: bob,
          action: 'reviewModelVersion',
          subject: auditSubject(model),
          outcome: decision === 'APPROVE' ? 'SUCCEEDED' : 'FORBIDDEN',
          payload: { decision },
        }),
      ),
    });
    const [ofTable, ofRun] = [await of(made), await of(run)];
    expect([ofTable.missing, ofRun.missing]).toEqual([[], []]);
    expect(ofTable.steps.filter(({ kind }) => kind === 'scoreBatch').map(({ node }) => node.kind)).toEqual(['TABLE']);
    expect(ofRun.steps.filter(({ kind }) => kind === 'scoreBatch').map(({ node }) => node.kind)).toEqual(['RUN']);
  });

  test('a step by a caller whom nobody checked makes it LOCAL', async () => {
    await train(await write(localCaller));
    expect((await trail()).assurance).toBe('LOCAL');
  });

  test.each([true, false])('after its snapshots expired, with their edges recorded: %s', async (isRecorded) => {
    await write(bob);
    await write(bob);
    await train(await write(bob));
    const table = await warehouse.load('raw.flights');
    const transaction = warehouse.tables.transaction();
    transaction.change(
      table,
      expireSnapshots({ olderThanMs: Date.now() + 1000, keepLast: 1 }, ({ removedSnapshotIds }) => {
        expect(removedSnapshotIds).toHaveLength(2);
        if (isRecorded) for (const entry of lineage.drafts(expiryEdges(table, removedSnapshotIds), bob)) transaction.entry(entry);
      }),
    );
    await transaction.commit();
    const found = await trail();
    expect(found.complete).toBe(isRecorded);
    expect(found.steps.filter((step) => step.kind === 'writeRows')).toHaveLength(isRecorded ? 3 : 2);
    expect(found.missing.join()).toMatch(isRecorded ? /^$/ : /is gone, and what it came from was not recorded/);
    expect(found.steps.filter((step) => step.node.state === 'DELETED')).toHaveLength(isRecorded ? 2 : 1);
  });
});
