import { setTimeout as pause } from 'node:timers/promises';
import type {
  CatalogChange,
  CatalogCommit,
  ChainLink,
  Fence,
  Guard,
  IdempotencyRecord,
  JournalDraft,
  PointerChange,
} from '../catalog/catalog.ts';
import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { commitAttemptsMax, commitPauseMsMax, commitPauseMsMin } from '../limits.ts';
import { beginTable, type TableDefinition } from './new-table.ts';
import { refusePinned } from './pin.ts';
import type { Table } from './table.ts';
import type { TableAction } from './table-action.ts';
import { TableAttempt } from './table-attempt.ts';
import type { Tables } from './tables.ts';

/** What a transaction is to do to one table: create or change it by actions, or drop it. */
interface TableChange {
  readonly identifier: TableIdentifier;
  /** Set where the table must still be the one that was read. */
  uuid: string | undefined;
  created: TableMetadata | undefined;
  dropped: boolean;
  readonly actions: TableAction[];
}

export interface TransactionOutcome {
  /** The new state of every table that was created or changed, in the order they were first named. */
  readonly tables: readonly Table[];
  /** Sequence numbers of the entries, then of the links' entries, in their order. */
  readonly seqs: readonly bigint[];
}

/** A table that a transaction will create: enough to write its data files before it is there. */
export type TableDraft = Omit<Table, 'metadataLocation'>;

/** Errors after which it is certain that nothing was committed. Any other may hide a commit that happened. */
const nothingHappened: ReadonlySet<string> = new Set([
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'CONFLICT',
  'PINNED',
  'FAILED_PRECONDITION',
  'OVERLOADED',
]);

/**
 * Changes to tables with the entries that belong to them, committed as one transaction of the catalog: all of it happens or nothing
 * (design, invariant 1). Lost races are repeated on the fresh metadata; used once.
 */
export class TableTransaction {
  readonly #tables: Tables;
  readonly #changes = new Map<string, TableChange>();
  readonly #entries: JournalDraft[] = [];
  readonly #links: ChainLink[] = [];
  readonly #guards: Guard[] = [];
  readonly #fences: Fence[] = [];
  readonly #flushed: { readonly table: string; readonly throughSeq: bigint }[] = [];
  readonly #dataFiles: string[] = [];
  #idempotency: IdempotencyRecord | undefined;
  #used = false;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Creates a table. Gives its first metadata, so that data files can be written for it. Throws BAD_USER_INPUT; commit, ALREADY_EXISTS. */
  create(identifier: TableIdentifier, definition: TableDefinition): TableDraft {
    const change = this.#change(identifier);
    if (change.created !== undefined || change.actions.length > 0 || change.dropped) {
      throw new IcecoreError('INTERNAL', `${printIdentifier(identifier)} is created after other changes of one transaction.`);
    }
    const metadata = beginTable(identifier, definition, { warehouse: this.#tables.warehouse, nowMs: nowMs(this.#tables.clock) });
    change.created = metadata;
    return { identifier, uuid: metadata.tableUuid, metadata };
  }

  /** Changes a table; several changes are applied in order, onto one new metadata file. A `Table` must still be that very table. */
  change(table: TableIdentifier | TableDraft, action: TableAction): void {
    const change = this.#change('identifier' in table ? table.identifier : table);
    if ('uuid' in table) change.uuid = table.uuid;
    change.actions.push(action);
  }

  /** Forgets a table; its files stay. Throws PINNED at commit where a pin holds one of its snapshots. */
  drop(table: TableIdentifier | TableDraft): void {
    const change = this.#change('identifier' in table ? table.identifier : table);
    if ('uuid' in table) change.uuid = table.uuid;
    change.dropped = true;
  }

  entry(entry: JournalDraft): void {
    this.#entries.push(entry);
  }

  link(link: ChainLink): void {
    this.#links.push(link);
  }

  /** CONFLICT (retryable, by the caller: what it had read is stale) unless the subject's newest entry has this number. */
  guard(guard: Guard): void {
    this.#guards.push(guard);
  }

  fence(fence: Fence): void {
    this.#fences.push(fence);
  }

  claim(record: IdempotencyRecord): void {
    this.#idempotency = record;
  }

  flushed(table: string, throughSeq: bigint): void {
    this.#flushed.push({ table, throughSeq });
  }

  /** Data files that nothing refers to unless this commits: removed where it is certain that it did not. */
  onRollback(locations: readonly string[]): void {
    this.#dataFiles.push(...locations);
  }

  /** Whether it was committed, tried to be, or given up. */
  get isUsed(): boolean {
    return this.#used;
  }

  /** Gives up: removes the files of `onRollback`. */
  async discard(): Promise<void> {
    this.#used = true;
    await this.#remove(this.#dataFiles);
  }

  /**
   * Makes it so. Throws what the actions throw, ALREADY_EXISTS, NOT_FOUND, and CONFLICT where a guard, a fence or a claim does not hold
   * or too many races were lost. After any other error it is not known whether it happened.
   * `isInTurn` where the caller has taken the turns of its tables (`Tables.turns`).
   */
  async commit(options: { readonly isInTurn?: boolean } = {}): Promise<TransactionOutcome> {
    if (this.#used) throw new IcecoreError('INTERNAL', 'A transaction is committed once.');
    this.#used = true;
    try {
      if (options.isInTurn === true) return await this.#commitInTurn();
      return await this.#tables.turns.take([...this.#changes.keys()], () => this.#commitInTurn());
    } catch (error) {
      if (error instanceof IcecoreError && nothingHappened.has(error.code)) await this.#remove(this.#dataFiles);
      throw error;
    }
  }

  async #commitInTurn(): Promise<TransactionOutcome> {
    for (let attempt = 1; ; attempt++) {
      const tables = await this.#attempt(attempt);
      try {
        const { seqs } = await this.#commitAttempt(tables);
        for (const table of tables) await table.settle();
        return { tables: tables.flatMap((table) => table.result ?? []), seqs };
      } catch (error) {
        if (!(error instanceof IcecoreError) || !nothingHappened.has(error.code)) throw error;
        await this.#remove(tables.flatMap((table) => table.written));
        const isLostRace = error.code === 'CONFLICT' && error.retryable && (await this.#moved(tables));
        if (!isLostRace || attempt >= commitAttemptsMax) throw error;
      }
      const longest = Math.min(commitPauseMsMax, commitPauseMsMin * 2 ** (attempt - 1));
      await pause(longest * (0.5 + Math.random() / 2));
    }
  }

  /** Every table with its actions applied to what it is now, and the files of that written. Leaves no file where it throws. */
  async #attempt(attempt: number): Promise<readonly TableAttempt[]> {
    const changes = [...this.#changes.values()];
    const existing = changes.filter(({ created }) => created === undefined);
    const loaded = existing.length === 0 ? [] : await this.#tables.loadMany(existing.map(({ identifier }) => identifier));
    const bases = new Map(existing.map((change, index) => [change, loaded[index] ?? null]));
    const tables: TableAttempt[] = [];
    try {
      for (const change of changes) {
        const base = bases.get(change) ?? null;
        if (change.created === undefined && base === null) await this.#tables.load(change.identifier);
        if (base !== null && change.uuid !== undefined && base.uuid !== change.uuid) throw replaced(change.identifier);
        const table = new TableAttempt(this.#tables, change.identifier, base, change.created, attempt);
        tables.push(table);
        if (change.dropped) {
          if (base !== null) refusePinned(base.metadata, `The table ${printIdentifier(change.identifier)} cannot be dropped`);
          table.drop();
        } else {
          await table.apply(change.actions);
        }
      }
    } catch (error) {
      await this.#remove(tables.flatMap((table) => table.written));
      throw error;
    }
    return tables;
  }

  #commitAttempt(tables: readonly TableAttempt[]): Promise<CatalogCommit> {
    const pointers = tables.flatMap((table): PointerChange | [] => table.pointer ?? []);
    const change: CatalogChange = {
      pointers,
      entries: this.#entries,
      links: this.#links,
      guards: this.#guards,
      fences: this.#fences,
      flushed: this.#flushed,
      ...(this.#idempotency === undefined ? {} : { idempotency: this.#idempotency }),
    };
    return this.#tables.catalog.commit(change);
  }

  /** Whether any of the tables is no longer what this attempt was based on: else the conflict was a guard's. */
  async #moved(tables: readonly TableAttempt[]): Promise<boolean> {
    const based = tables.filter((table) => table.base !== null);
    if (based.length === 0) return false;
    const now = await this.#tables.loadMany(based.map((table) => table.identifier));
    return based.some((table, index) => now[index]?.metadataLocation !== table.base?.metadataLocation);
  }

  #change(identifier: TableIdentifier): TableChange {
    const key = printIdentifier(identifier);
    const known = this.#changes.get(key);
    if (known !== undefined) return known;
    const change: TableChange = { identifier, uuid: undefined, created: undefined, dropped: false, actions: [] };
    this.#changes.set(key, change);
    return change;
  }

  async #remove(locations: readonly string[]): Promise<void> {
    this.#tables.files.forget(locations);
    // What cannot be removed now is an orphan, and orphan removal finds it; the error at hand matters more.
    if (locations.length > 0) await this.#tables.storage.remove(locations).catch(() => undefined);
  }
}

function replaced(identifier: TableIdentifier): IcecoreError {
  const name = printIdentifier(identifier);
  return new IcecoreError('CONFLICT', `The table ${name} was dropped, and another has its name now: read it again.`, {
    context: { table: name },
  });
}
