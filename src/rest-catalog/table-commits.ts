import { randomUUID } from 'node:crypto';
import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { applyUpdates } from '../iceberg/metadata-update.ts';
import { mainBranch } from '../iceberg/snapshot.ts';
import type { TableUpdate } from '../iceberg/table-update.ts';
import { once } from '../ledger/once.ts';
import { transactionTablesMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { expiryEdges } from '../lineage/table-history.ts';
import { type ForeignCommit, foreignCommit, isCreation, refuseOwnBeginning } from '../tables/actions/foreign-commit.ts';
import type { Table } from '../tables/table.ts';
import { newTableLocation } from '../tables/table-location.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate, requireWrite } from '../tables/write-access.ts';
import { newIdentifier, writable } from './names.ts';
import { alreadyCreated, inReferenceWords, noSuchNamespace, noSuchTable, plainName, viewHasName } from './refusal.ts';

export interface TableCommitsOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
}

/** What an engine asks to be changed about one table. */
export interface TableCommit extends ForeignCommit {
  readonly identifier: TableIdentifier;
}

/** Commits of engines, to one table or to several at once. */
export class TableCommits {
  readonly #options: TableCommitsOptions;

  constructor(options: TableCommitsOptions) {
    this.#options = options;
  }

  /**
   * The table as it is afterwards. Races are repeated on the server as long as the requirements hold. Throws NOT_FOUND, FORBIDDEN, BAD_USER_INPUT,
   * CONFLICT where a requirement does not hold or the snapshot is late, PINNED where it would take away a pin or what one holds.
   */
  async commit(call: Call, commit: TableCommit): Promise<Table> {
    const [made] = await this.#commit(call, 'updateTable', [commit]);
    const table = made ?? (await this.#options.tables.find(commit.identifier));
    if (table === null) throw noSuchTable(commit.identifier);
    return table;
  }

  /** All of them or none. Throws as `commit`. */
  async commitAll(call: Call, commits: readonly TableCommit[]): Promise<void> {
    if (commits.length > transactionTablesMax) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `A transaction may change ${transactionTablesMax} tables, not ${commits.length}: commit it in parts.`,
      );
    }
    if (commits.length > 0) await this.#commit(call, 'commitTransaction', commits);
  }

  async #commit(call: Call, action: string, commits: readonly TableCommit[]): Promise<readonly Table[]> {
    const { caller } = call;
    requireRole(caller, 'scientist', 'commit to tables');
    let made: readonly Table[] = [];
    await once(this.#options, { ...call, mutation: action }, async (claim) => {
      const transaction = this.#options.tables.transaction();
      for (const commit of commits) await this.#prepare(transaction, call, action, commit, commits);
      const record = claim({});
      if (record !== null) transaction.claim(record);
      try {
        made = (await transaction.commit()).tables;
      } catch (error) {
        const [only, ...more] = commits;
        throw only !== undefined && more.length === 0 ? inReferenceWords(error, only.identifier) : error;
      }
      return {};
    });
    return made;
  }

  async #prepare(
    transaction: TableTransaction,
    call: Call,
    action: string,
    commit: TableCommit,
    all: readonly TableCommit[],
  ): Promise<void> {
    const { audit, catalog, tables } = this.#options;
    const { identifier, updates } = commit;
    const name = printIdentifier(writable(identifier));
    let uuid: string;
    if (isCreation(commit)) {
      if (all.some((other) => other !== commit && printIdentifier(other.identifier) === name)) {
        throw new IcecoreError(
          'BAD_USER_INPUT',
          `The transaction creates ${plainName(identifier)} and changes it too: put both in one change.`,
        );
      }
      requireCreate(tables.access, identifier, 'create');
      if ((await catalog.loadNamespace(newIdentifier(identifier).namespace)) === null)
        throw noSuchNamespace(identifier.namespace);
      if ((await catalog.load(identifier)) !== null) throw alreadyCreated(identifier);
      if ((await catalog.loadView(identifier)) !== null) throw viewHasName(identifier);
      uuid = this.#create(transaction, commit);
    } else {
      const table = await tables.find(identifier);
      if (table === null) throw noSuchTable(identifier);
      await requireWrite(tables, identifier, 'commit to');
      this.#recordExpiry(transaction, call, table, updates);
      transaction.change(table, foreignCommit(commit));
      uuid = table.uuid;
    }
    const subject = auditSubject({ kind: 'TABLE', uuid, version: currentAfter(updates)?.toString() ?? null });
    const payload = { name, updates: updates.map((update) => update.action) };
    transaction.link(audit.link({ caller: call.caller, action, subject, outcome: 'SUCCEEDED', payload }));
  }

  /** Begins a table that was staged. Gives its uuid. */
  #create(transaction: TableTransaction, { identifier, updates }: TableCommit): string {
    const { clock, tables } = this.#options;
    const uuid = updates.find((update) => update.action === 'assign-uuid')?.uuid ?? randomUUID();
    const location = newTableLocation(tables.warehouse, identifier, uuid);
    const beginning: readonly TableUpdate[] = [
      { action: 'assign-uuid', uuid },
      ...(updates.some((update) => update.action === 'set-location') ? [] : [{ action: 'set-location', location } as const]),
    ];
    const metadata = applyUpdates(null, [...beginning, ...updates], nowMs(clock));
    refuseOwnBeginning(metadata);
    transaction.createFrom(identifier, metadata, { requireNamespace: true, isAsserted: true });
    return metadata.tableUuid;
  }

  /** What snapshots that are expired came from, which the table's metadata does not say any more afterwards. */
  #recordExpiry(transaction: TableTransaction, { caller }: Call, table: Table, updates: readonly TableUpdate[]): void {
    const removed = updates.flatMap((update) => (update.action === 'remove-snapshots' ? update.snapshotIds : []));
    for (const entry of this.#options.lineage.drafts(expiryEdges(table, removed), caller)) transaction.entry(entry);
  }
}

/** The snapshot that the updates make the current one; undefined where they leave it alone. */
function currentAfter(updates: readonly TableUpdate[]): bigint | undefined {
  const moves = updates.flatMap((update) =>
    update.action === 'set-snapshot-ref' && update.refName === mainBranch ? [update.ref] : [],
  );
  return moves.at(-1)?.snapshotId;
}
