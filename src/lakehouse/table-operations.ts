import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { checkIdentifier, printIdentifier } from '../iceberg/identifier.ts';
import { refByName, snapshotById } from '../iceberg/metadata.ts';
import type { Snapshot, SnapshotRef } from '../iceberg/snapshot.ts';
import { once } from '../ledger/once.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { expiryEdges } from '../lineage/table-history.ts';
import { purgeTable, refusePurge } from '../rest-catalog/purge.ts';
import { rollback } from '../tables/actions/rollback.ts';
import { removeRef, setRef } from '../tables/actions/set-ref.ts';
import type { TableDefinition } from '../tables/new-table.ts';
import { refuseReservedRef } from '../tables/pin.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import type { AsOf, Table } from '../tables/table.ts';
import { isOwnFolder } from '../tables/table-location.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate, requireWrite } from '../tables/write-access.ts';
import { removeFilesBelow } from './purge.ts';
import { type TableChange, tableChangeActions } from './table-change.ts';
import { userTable } from './user-table.ts';

export interface TableOperationsOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
}

export interface RefMove {
  readonly table: string;
  readonly name: string;
  readonly type: 'BRANCH' | 'TAG';
  /** Null takes the ref away. */
  readonly snapshotId: bigint | null;
  readonly maxRefAgeMicros: bigint | null;
}

export interface SetRef {
  readonly table: Table;
  readonly name: string;
  readonly ref: SnapshotRef;
}

/** What is committed, and what a repetition of the call is to be told: ids alone. */
interface Change<Answer> {
  readonly answer: Answer;
  readonly tableUuid: string;
  readonly payload: unknown;
}

/** Changes of tables that callers ask for: checked, audited, made once for each idempotency key. */
export class TableOperations {
  readonly #options: TableOperationsOptions;

  constructor(options: TableOperationsOptions) {
    this.#options = options;
  }

  /** Throws ALREADY_EXISTS, BAD_USER_INPUT, FORBIDDEN. */
  async createTable(call: Call, name: string, definition: TableDefinition): Promise<Table> {
    requireRole(call.caller, 'scientist', 'create tables');
    const identifier = checkIdentifier(userTable(name));
    requireCreate(this.#options.tables.access, identifier, 'create the table');
    const { uuid } = await this.#change(call, 'createTable', async (transaction) => {
      const draft = transaction.create(identifier, definition);
      return { answer: { uuid: draft.uuid }, tableUuid: draft.uuid, payload: { name: printIdentifier(identifier) } };
    });
    return await this.#byUuid(uuid, name);
  }

  /** The changes in their order, as one. Throws BAD_USER_INPUT, NOT_FOUND, FORBIDDEN. */
  async alterTable(call: Call, name: string, changes: readonly TableChange[]): Promise<Table> {
    requireRole(call.caller, 'scientist', 'alter tables');
    const identifier = userTable(name);
    await requireWrite(this.#options.tables, identifier, 'alter the table');
    const { uuid } = await this.#change(call, 'alterTable', async (transaction) => {
      const table = await this.#options.tables.load(identifier);
      for (const action of tableChangeActions(changes)) transaction.change(table, action);
      return { answer: { uuid: table.uuid }, tableUuid: table.uuid, payload: { name, changes: changes.map(({ kind }) => kind) } };
    });
    return await this.#byUuid(uuid, name);
  }

  /**
   * Forgets the table; with `purge` its files too. Throws PINNED where something depends on a snapshot of it, NOT_FOUND, FORBIDDEN, and
   * FAILED_PRECONDITION for a purge where `gc.enabled` is false.
   */
  async dropTable(call: Call, name: string, purge: boolean): Promise<void> {
    requireRole(call.caller, 'admin', 'drop tables');
    const identifier = userTable(name);
    await requireWrite(this.#options.tables, identifier, 'drop the table');
    let dropped: Table | null = null;
    const { location, uuid } = await this.#change(call, 'dropTable', async (transaction) => {
      const table = await this.#options.tables.load(identifier);
      if (purge) refusePurge(table);
      dropped = table;
      // What its snapshots came from would be forgotten with it.
      const edges = expiryEdges(
        table,
        table.metadata.snapshots.map(({ snapshotId }) => snapshotId),
      );
      for (const entry of this.#options.lineage.drafts(edges, call.caller)) transaction.entry(entry);
      transaction.drop(table);
      return { answer: { location: table.metadata.location, uuid: table.uuid }, tableUuid: table.uuid, payload: { name, purge } };
    });
    if (purge) await this.#options.tables.access.asServer(() => this.#purge(location, uuid, dropped));
  }

  /** A folder that somebody chose may hold files of others: of such, only those go that the table names. */
  async #purge(location: string, uuid: string, dropped: Table | null): Promise<void> {
    if (isOwnFolder(location, uuid)) await removeFilesBelow(this.#options.tables, location);
    else if (dropped !== null) await purgeTable(this.#options.tables, dropped);
  }

  /** Null where the ref was taken away. Throws NOT_FOUND, PINNED, FAILED_PRECONDITION, FORBIDDEN. */
  async setSnapshotRef(call: Call, move: RefMove): Promise<SetRef | null> {
    requireRole(call.caller, 'scientist', 'set branches and tags');
    const identifier = userTable(move.table);
    await requireWrite(this.#options.tables, identifier, 'set branches and tags of');
    refuseReservedRef(move.name);
    const { uuid } = await this.#change(call, 'setSnapshotRef', async (transaction) => {
      const table = await this.#options.tables.load(identifier);
      transaction.change(
        table,
        move.snapshotId === null ? removeRef(move.name) : setRef(move.name, refOf(move, move.snapshotId)),
      );
      return { answer: { uuid: table.uuid }, tableUuid: table.uuid, payload: { ref: move.name, snapshotId: move.snapshotId } };
    });
    if (move.snapshotId === null) return null;
    const table = await this.#byUuid(uuid, move.table);
    const ref = refByName(table.metadata, move.name);
    if (ref === undefined) throw new IcecoreError('CONFLICT', `${move.name} of ${move.table} was taken away again meanwhile.`);
    return { table, name: move.name, ref };
  }

  /** The snapshot that is the current one again. Throws NOT_FOUND, FAILED_PRECONDITION, FORBIDDEN. */
  async rollbackTable(call: Call, name: string, to: AsOf): Promise<{ readonly table: Table; readonly snapshot: Snapshot }> {
    requireRole(call.caller, 'admin', 'roll tables back');
    const identifier = userTable(name);
    await requireWrite(this.#options.tables, identifier, 'roll back the table');
    const answer = await this.#change(call, 'rollbackTable', async (transaction) => {
      const table = await this.#options.tables.load(identifier);
      const snapshot = resolveAsOf(table, to);
      if (snapshot === null) throw new IcecoreError('FAILED_PRECONDITION', `Table ${name} had no snapshot yet at that point.`);
      transaction.change(table, rollback(snapshot.snapshotId));
      const snapshotId = snapshot.snapshotId.toString();
      return { answer: { uuid: table.uuid, snapshotId }, tableUuid: table.uuid, payload: { name, snapshotId } };
    });
    const table = await this.#byUuid(answer.uuid, name);
    const snapshot = snapshotById(table.metadata, BigInt(answer.snapshotId));
    if (snapshot === undefined)
      throw new IcecoreError('NOT_FOUND', `Snapshot ${answer.snapshotId} of ${name} has expired since.`);
    return { table, snapshot };
  }

  /** One transaction with its audit entry and its claim on the idempotency key. */
  async #change<Answer>(
    call: Call,
    mutation: string,
    prepare: (transaction: TableTransaction) => Promise<Change<Answer>>,
  ): Promise<Answer> {
    const { tables, audit } = this.#options;
    return await once(this.#options, { caller: call.caller, mutation, key: call.key, input: call.input }, async (claim) => {
      const transaction = tables.transaction();
      const { answer, tableUuid, payload } = await prepare(transaction);
      const subject = auditSubject({ kind: 'TABLE', uuid: tableUuid, version: null });
      transaction.link(audit.link({ caller: call.caller, action: mutation, subject, outcome: 'SUCCEEDED', payload }));
      const record = claim(answer);
      if (record !== null) transaction.claim(record);
      await transaction.commit();
      return answer;
    });
  }

  async #byUuid(uuid: string, name: string): Promise<Table> {
    const table = await this.#options.tables.findByUuid(uuid);
    if (table !== null) return table;
    throw new IcecoreError('NOT_FOUND', `Table ${name} was dropped since.`, { context: { table: name } });
  }
}

function refOf({ type, maxRefAgeMicros }: RefMove, snapshotId: bigint): SnapshotRef {
  return {
    snapshotId,
    type: type === 'BRANCH' ? 'branch' : 'tag',
    ...(maxRefAgeMicros === null ? {} : { maxRefAgeMs: maxRefAgeMicros / 1000n }),
  };
}
