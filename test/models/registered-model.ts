import type { Caller } from '../../src/access/caller.ts';
import { printIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSnapshot } from '../../src/iceberg/metadata.ts';
import type { DecisionKind, ModelVersion } from '../../src/models/model.ts';
import type { NewModelVersion } from '../../src/models/version-registration.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import type { Table, TableSnapshotRef } from '../../src/tables/table.ts';
import { caller, type Store } from '../environment/store.ts';

export const ada = caller('ada', ['scientist']);
export const ben = caller('ben', ['approver']);
/** May do everything that a person may, so that only the rule in question can stand in the way. */
export const both = (id: string): Caller => caller(id, ['scientist', 'approver']);

/** A mutation without an idempotency key. */
export const call = (who: Caller, key: string | null = null, input: unknown = {}) => ({ caller: who, key, input });

/** A table of training rows with one snapshot. */
export async function trainingTable(store: Store, name: string): Promise<TableSnapshotRef> {
  const created = store.tables.transaction();
  created.create(
    { namespace: ['training'], name },
    {
      columns: [
        { name: 'x', type: 'double' },
        { name: 'late', type: 'boolean' },
      ],
    },
  );
  const [table] = (await created.commit()).tables;
  if (table === undefined) throw new Error('No table was created.');
  return snapshotOf(await append(store, table, 'SELECT 1.5::DOUBLE AS x, true AS late'));
}

/** Appends the rows of a SELECT; gives the table after it. */
export async function append(store: Store, table: Table, select: string): Promise<Table> {
  const { files } = await store.duckdb.trusted.use((connection) =>
    writeDataFiles(store.tables, { connection, metadata: table.metadata, relation: `(${select})` }),
  );
  const transaction = store.tables.transaction();
  transaction.change(table, appendFiles(files));
  const [after] = (await transaction.commit()).tables;
  if (after === undefined) throw new Error('Nothing was changed.');
  return after;
}

export function snapshotOf(table: Table): TableSnapshotRef {
  const snapshot = currentSnapshot(table.metadata);
  if (snapshot === undefined) throw new Error('The table has no snapshot.');
  return { tableUuid: table.uuid, tableName: printIdentifier(table.identifier), snapshotId: snapshot.snapshotId };
}

export function newVersion(model: string, table: TableSnapshotRef, rest: Partial<NewModelVersion> = {}): NewModelVersion {
  return {
    model,
    trainedOn: { table },
    metrics: [{ name: 'auc', value: 0.71, split: 'test', dataset: table }],
    signature: {
      inputs: [{ name: 'x', type: 'double', required: true }],
      outputs: [{ name: 'score', type: 'double', required: true }],
    },
    artifactUri: null,
    artifactSha256: 'ab'.repeat(32),
    endpoint: null,
    authors: [],
    ...rest,
  };
}

export async function review(
  store: Store,
  who: Caller,
  version: ModelVersion,
  decision: DecisionKind,
  expectedDigest = version.digest,
): Promise<ModelVersion> {
  return await store.models.review(
    call(who),
    version.model,
    { number: version.version },
    { expectedDigest, decision, meaning: `I ${decision.toLowerCase()} it`, comment: null },
  );
}

/** A version registered and submitted by ada. */
export async function submitted(store: Store, model: string, table: TableSnapshotRef): Promise<ModelVersion> {
  const version = await store.models.registerVersion(call(ada), newVersion(model, table));
  return await store.models.submit(call(ada), model, { number: version.version }, null);
}
