import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  CatalogChange,
  CatalogCommit,
  ChainLink,
  Fence,
  Guard,
  IdempotencyRecord,
  JournalDraft,
} from '../catalog/catalog.ts';
import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { commitAttemptsMax } from '../limits.ts';
import { pauseAfterAttempt } from './commit-pause.ts';
import { beginTable, type TableDefinition } from './new-table.ts';
import { pinsOf, refuseForgedPins } from './pin.ts';
import { isCertainlyNothing, isMissingFile } from './shared-commits.ts';
import { shownText } from './shown-metadata.ts';
import type { Table } from './table.ts';
import type { TableAction } from './table-action.ts';
import { TableAttempt } from './table-attempt.ts';
import { emptyIntent, isEmptyIntent, type TableBeginning, type TableIntent } from './table-intent.ts';
import type { Tables } from './tables.ts';

export interface TransactionOutcome {
  /** The new state of every table that was created or changed, in the order they were first named. */
  readonly tables: readonly Table[];
  /** Sequence numbers of the entries, then of the links' entries, in their order. */
  readonly seqs: readonly bigint[];
}

export interface CreationOptions {
  /** Commit throws NOT_FOUND where the namespace is missing, instead of making it. */
  readonly requireNamespace?: boolean;
}

/** A table that a transaction will create: enough to write its data files before it is there. */
export type TableDraft = Omit<Table, 'metadataLocation'>;

/**
 * Changes to tables with the entries that belong to them, committed as one transaction of the catalog: all of it happens or nothing
 * (design, invariant 1). Lost races are repeated on the fresh metadata; used once.
 */
export class TableTransaction {
  readonly #tables: Tables;
  readonly #intents = new Map<string, TableIntent>();
  readonly #entries: JournalDraft[] = [];
  readonly #links: ChainLink[] = [];
  readonly #guards: Guard[] = [];
  readonly #fences: Fence[] = [];
  readonly #flushed: { readonly table: string; readonly throughSeq: bigint }[] = [];
  readonly #dataFiles: string[] = [];
  readonly #claims: IdempotencyRecord[] = [];
  #used = false;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Creates a table. Gives its first metadata, so that data files can be written for it. Throws BAD_USER_INPUT; commit, ALREADY_EXISTS. */
  create(identifier: TableIdentifier, definition: TableDefinition): TableDraft {
    const metadata = beginTable(identifier, definition, { warehouse: this.#tables.warehouse, nowMs: nowMs(this.#tables.clock) });
    return this.createFrom(identifier, metadata);
  }

  /**
   * Creates a table that begins with this metadata, snapshots and all. Throws BAD_USER_INPUT for forged pins; commit throws ALREADY_EXISTS; with `isAsserted` a table of the
   * name fails the requirement `assert-create` instead, which is a CONFLICT.
   */
  createFrom(
    identifier: TableIdentifier,
    metadata: TableMetadata,
    options: CreationOptions & { readonly isAsserted?: boolean } = {},
  ): TableDraft {
    const { requireNamespace = false, isAsserted = false } = options;
    refuseForgedPins(metadata.properties);
    this.#begin(identifier, { metadata, metadataLocation: null, overwrites: false, isAsserted }, requireNamespace);
    return { identifier, uuid: metadata.tableUuid, metadata };
  }

  /**
   * Makes an existing metadata file a table; no file is written. Commit throws ALREADY_EXISTS; with `overwrites` a table of the name
   * is dropped for it instead, and PINNED thrown where that is pinned.
   */
  register(
    identifier: TableIdentifier,
    file: { readonly metadataLocation: string; readonly metadata: TableMetadata },
    options: CreationOptions & { readonly overwrites?: boolean } = {},
  ): void {
    const { requireNamespace = false, overwrites = false } = options;
    pinsOf(file.metadata);
    this.#begin(identifier, { ...file, overwrites, isAsserted: false }, requireNamespace);
  }

  /** Changes a table; several changes are applied in order, onto one new metadata file. A `Table` must still be that very table. */
  change(table: TableIdentifier | TableDraft, action: TableAction): void {
    this.#intend(table).actions.push(action);
  }

  /**
   * Gives a table another name; it stays the same table, with its files where they are. Commit throws ALREADY_EXISTS where a table or
   * a view has that name.
   */
  rename(table: TableIdentifier | TableDraft, to: TableIdentifier, options: CreationOptions = {}): void {
    const intent = this.#intend(table);
    intent.renamedTo = to;
    intent.requireNamespace = options.requireNamespace ?? false;
  }

  /** Forgets a table; its files stay. Throws PINNED at commit where a pin holds one of its snapshots. */
  drop(table: TableIdentifier | TableDraft): void {
    this.#intend(table).dropped = true;
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
    this.#claims.push(record);
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
      const shared = this.#sharedIntent();
      if (shared !== null) return await this.#commitShared(shared);
      return await this.#tables.turns.take(this.#names(), () => this.#commitInTurn());
    } catch (error) {
      if (isCertainlyNothing(error)) await this.#remove(this.#dataFiles);
      throw error;
    }
  }

  /** The one table that is changed, and nothing else is to hold: such a commit can be shared with other writers'. */
  #sharedIntent(): TableIntent | null {
    const [intent, ...more] = this.#intents.values();
    const isConditional = this.#guards.length + this.#fences.length + this.#flushed.length > 0;
    if (intent === undefined || more.length > 0 || isConditional) return null;
    return intent.beginning === undefined && intent.renamedTo === undefined && !intent.dropped ? intent : null;
  }

  async #commitShared(intent: TableIntent): Promise<TransactionOutcome> {
    const inScope = AsyncLocalStorage.snapshot();
    const { table, seqs } = await this.#tables.shared.commit({
      identifier: intent.identifier,
      apply: (attempt, base) =>
        inScope(async () => {
          if (intent.uuid !== undefined && base.uuid !== intent.uuid) throw replaced(intent.identifier);
          await this.#shownRefusal(base, () => attempt.join(intent.actions));
        }),
      change: { entries: this.#entries, links: this.#links, claims: this.#claims },
      alone: () =>
        inScope(async () => {
          const outcome = await this.#commitInTurn();
          return { table: outcome.tables[0] ?? null, seqs: outcome.seqs };
        }),
    });
    return { tables: table === null ? [] : [this.#tables.shown(table)], seqs };
  }

  async #commitInTurn(): Promise<TransactionOutcome> {
    for (let attempt = 1; ; attempt++) {
      const tables = await this.#attempt(attempt);
      if (tables === null) {
        await pauseAfterAttempt(attempt);
        continue;
      }
      try {
        const { seqs } = await this.#commitAttempt(tables);
        for (const table of tables) await table.settle();
        return { tables: tables.flatMap((table) => (table.result === null ? [] : this.#tables.shown(table.result))), seqs };
      } catch (error) {
        if (!isCertainlyNothing(error)) throw error;
        await this.#remove(tables.flatMap((table) => table.written));
        this.#refuseExisting(error);
        const isLostRace = error.code === 'CONFLICT' && error.retryable && (await this.#moved(tables));
        if (!isLostRace || attempt >= commitAttemptsMax) throw error;
      }
      await pauseAfterAttempt(attempt);
    }
  }

  /**
   * Every table with its actions applied to what it is now, and the files of that written. Leaves no file where it throws. Null where others
   * committed meanwhile and files of what it was have expired, so that it is to be tried again.
   */
  async #attempt(attempt: number): Promise<readonly TableAttempt[] | null> {
    const intents = [...this.#intents.values()];
    const existing = intents.filter(({ beginning }) => beginning === undefined || beginning.overwrites);
    const loaded = existing.length === 0 ? [] : await this.#loadMany(existing.map(({ identifier }) => identifier));
    const bases = new Map(existing.map((intent, index) => [intent, loaded[index] ?? null]));
    const tables: TableAttempt[] = [];
    try {
      for (const intent of intents) {
        const base = bases.get(intent) ?? null;
        if (intent.beginning === undefined && base === null) await this.#tables.load(intent.identifier);
        if (base !== null && intent.uuid !== undefined && base.uuid !== intent.uuid) throw replaced(intent.identifier);
        const table = new TableAttempt(this.#tables, intent, base, attempt);
        tables.push(table);
        await this.#shownRefusal(base, async () => (intent.dropped ? table.drop() : await table.apply()));
      }
    } catch (error) {
      await this.#remove(tables.flatMap((table) => table.written));
      if (attempt < commitAttemptsMax && isMissingFile(error) && (await this.#moved(tables))) return null;
      throw error;
    }
    return tables;
  }

  /** The tables whole: what may be changed was judged before, and what belongs to a change, such as a pin, takes no grant of its own. */
  #loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (Table | null)[]> {
    return this.#tables.access.asServer(() => this.#tables.loadMany(identifiers));
  }

  /** A refusal that names pins names those that the caller may not see by what they show as. */
  async #shownRefusal<T>(base: Table | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (base === null || !IcecoreError.is(error, 'PINNED')) throw error;
      const shown = (text: string) => shownText(this.#tables.access, base.metadata, text);
      const { pins } = error.context;
      throw new IcecoreError('PINNED', shown(error.message), {
        cause: error,
        context: { ...error.context, ...(Array.isArray(pins) ? { pins: pins.map((pin) => shown(String(pin))) } : {}) },
      });
    }
  }

  #commitAttempt(tables: readonly TableAttempt[]): Promise<CatalogCommit> {
    const change: CatalogChange = {
      pointers: tables.flatMap((table) => table.pointers),
      entries: this.#entries,
      links: this.#links,
      guards: this.#guards,
      fences: this.#fences,
      flushed: this.#flushed,
      claims: this.#claims,
    };
    return this.#tables.catalog.commit(change);
  }

  /** Whether any of the tables is no longer what this attempt was based on: else the conflict was a guard's. */
  async #moved(tables: readonly TableAttempt[]): Promise<boolean> {
    const based = tables.filter((table) => table.base !== null);
    if (based.length === 0) return false;
    const now = await this.#loadMany(based.map((table) => table.intent.identifier));
    return based.some((table, index) => now[index]?.metadataLocation !== table.base?.metadataLocation);
  }

  /** A commit under `assert-create` that met a table fails as the reference says it. */
  #refuseExisting(error: IcecoreError): void {
    if (error.code !== 'ALREADY_EXISTS' || error.context.exists !== 'table') return;
    const intent = this.#intents.get(String(error.context.table));
    if (intent?.beginning?.isAsserted !== true) return;
    throw new IcecoreError('CONFLICT', 'Requirement failed: table already exists', {
      context: { requirement: 'assert-create', table: error.context.table },
    });
  }

  #begin(identifier: TableIdentifier, beginning: TableBeginning, requireNamespace: boolean): void {
    const intent = this.#intend(identifier);
    if (!isEmptyIntent(intent)) {
      throw new IcecoreError('INTERNAL', `${printIdentifier(identifier)} is created after other changes of one transaction.`);
    }
    intent.beginning = beginning;
    intent.requireNamespace = requireNamespace;
  }

  #intend(table: TableIdentifier | TableDraft): TableIntent {
    const identifier = 'identifier' in table ? table.identifier : table;
    const key = printIdentifier(identifier);
    const intent = this.#intents.get(key) ?? emptyIntent(identifier);
    this.#intents.set(key, intent);
    if ('uuid' in table) intent.uuid = table.uuid;
    return intent;
  }

  /** All names that are concerned, as turns are taken by them. */
  #names(): readonly string[] {
    const intents = [...this.#intents.values()];
    return intents.flatMap(({ identifier, renamedTo }) =>
      [identifier, ...(renamedTo === undefined ? [] : [renamedTo])].map(printIdentifier),
    );
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
