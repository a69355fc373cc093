import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../iceberg/identifier.ts';
import { foreignNamesMax, foreignPollMs, foreignSearchPauseMsMin } from '../limits.ts';
import type {
  Catalog,
  CatalogCommit,
  ChainHead,
  CommitEvent,
  JournalEntry,
  LeaseHolder,
  Namespace,
  StoredAnswer,
  SystemTableState,
  TablePointer,
  ViewPointer,
} from './catalog.ts';
import { CommitListeners } from './commit-listeners.ts';
import { parseForeignAddress } from './foreign/foreign-address.ts';
import { ForeignClient } from './foreign/foreign-client.ts';
import { ForeignTables, pageOf } from './foreign/foreign-tables.ts';

const multiTableCommit = 'POST /v1/{prefix}/transactions/commit';
const viewLists = 'GET /v1/{prefix}/namespaces/{namespace}/views';

/**
 * Another Iceberg REST catalog, for reading. Each of Icecore's own changes is one commit over several tables with entries that belong to
 * it, which this catalog does not take: `commit` is refused, no lease is ever held, and the journal is empty (semantics, section 7).
 * Metadata files are read from storage, by Icecore's own access to it.
 */
export class ForeignCatalog implements Catalog {
  readonly isReadOnly = true;
  readonly #client: ForeignClient;
  readonly #tables: ForeignTables;
  readonly #clock: Clock;
  readonly #listeners = new CommitListeners();
  /** Where tables were last seen: the protocol finds none by its uuid. */
  readonly #names = new Map<string, TableIdentifier>();
  #searchedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  private constructor(client: ForeignClient, clock: Clock) {
    this.#client = client;
    this.#tables = new ForeignTables(client);
    this.#clock = clock;
  }

  /** `address` is what follows `rest:`. Throws BAD_USER_INPUT for no address, FAILED_PRECONDITION and OVERLOADED where the catalog refuses or is away. */
  static async open(address: string, clock: Clock): Promise<ForeignCatalog> {
    return new ForeignCatalog(await ForeignClient.connect(parseForeignAddress(address), clock), clock);
  }

  async load(identifier: TableIdentifier): Promise<TablePointer | null> {
    return this.#seen(await this.#tables.load('tables', identifier));
  }

  /** Not of one moment: each table is a request of its own. */
  async loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]> {
    return (await this.#tables.loadAll('tables', identifiers)).map((pointer) => this.#seen(pointer));
  }

  async loadByUuid(uuid: string): Promise<TablePointer | null> {
    const [pointer] = await this.loadManyByUuid([uuid]);
    return pointer ?? null;
  }

  async loadManyByUuid(uuids: readonly string[]): Promise<readonly (TablePointer | null)[]> {
    const found = await this.#loadNamed(uuids);
    const isMissing = uuids.some((uuid) => !found.has(uuid));
    if (isMissing && nowMs(this.#clock) - this.#searchedAtMs >= foreignSearchPauseMsMin) {
      this.#searchedAtMs = nowMs(this.#clock);
      for (const pointer of await this.loadMany(await this.#tables.tableNames([]))) {
        if (pointer !== null) found.set(pointer.uuid, pointer);
      }
    }
    return uuids.map((uuid) => found.get(uuid) ?? null);
  }

  async list(options: {
    readonly kind?: 'table' | 'view';
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]> {
    // Views are looked for where files are about to be removed, and here nothing is.
    if (options.kind === 'view') return [];
    return await this.#page(await this.#tables.tableNames(options.namespace ?? []), options);
  }

  async listTablesIn(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]> {
    return await this.#page(await this.#tables.namesIn('tables', options.namespace), options);
  }

  async loadNamespace(parts: readonly string[]): Promise<Namespace | null> {
    return await this.#tables.namespace(parts);
  }

  async listNamespaces(options: {
    readonly parent: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly Namespace[]> {
    const page = pageOf(await this.#tables.namespacesBelow(options.parent), printNamespace, options);
    const found = await Promise.all(page.map((parts) => this.#tables.namespace(parts)));
    return found.filter((namespace) => namespace !== null);
  }

  async loadView(identifier: TableIdentifier): Promise<ViewPointer | null> {
    return this.#servesViews ? await this.#tables.load('views', identifier) : null;
  }

  async listViews(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly ViewPointer[]> {
    if (!this.#servesViews) return [];
    const page = pageOf(await this.#tables.namesIn('views', options.namespace), printIdentifier, options);
    return (await this.#tables.loadAll('views', page)).filter((pointer) => pointer !== null);
  }

  /** Throws FAILED_PRECONDITION. */
  async commit(): Promise<CatalogCommit> {
    const reason = this.#client.serves(multiTableCommit, false)
      ? 'Icecore writes through no other catalog yet'
      : 'it does not commit several tables at once, and what Icecore does is recorded with it or not done';
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `This server is read-only, since its catalog is another server's: ${reason}. Write with the engine that you write to that catalog with.`,
      { context: { catalog: 'rest' } },
    );
  }

  async journalAfter(): Promise<{ entries: readonly JournalEntry[]; trimmedThroughSeq: bigint }> {
    return { entries: [], trimmedThroughSeq: 0n };
  }

  async systemTable(_table: string, identifier: TableIdentifier): Promise<SystemTableState> {
    return { pointer: await this.load(identifier), entries: [] };
  }

  async pendingTables(): Promise<readonly string[]> {
    return [];
  }

  async trim(): Promise<void> {}

  async headSeq(): Promise<bigint> {
    return 0n;
  }

  async subjectSeq(): Promise<bigint> {
    return 0n;
  }

  async chainHead(): Promise<ChainHead> {
    return { seq: 0n, hash: '0'.repeat(64) };
  }

  async answer(): Promise<StoredAnswer | null> {
    return null;
  }

  /** Never had: so nothing is taken over that another server does. */
  async acquireLease(): Promise<bigint | null> {
    return null;
  }

  async renewLease(): Promise<boolean> {
    return false;
  }

  async releaseLease(): Promise<void> {}

  async leaseHolder(): Promise<LeaseHolder | null> {
    return null;
  }

  /** Called every now and then, whether there was a commit or not: who listens looks for what concerns them. */
  onCommit(listener: (event: CommitEvent) => void): () => void {
    this.#timer ??= setInterval(() => this.#listeners.emit({ pointers: [], headSeq: 0n }), foreignPollMs).unref();
    const remove = this.#listeners.add(listener);
    return () => {
      remove();
      if (this.#listeners.size === 0) this.#stopLooking();
    };
  }

  async close(): Promise<void> {
    this.#stopLooking();
    this.#client.close();
  }

  get #servesViews(): boolean {
    return this.#client.serves(viewLists, false);
  }

  /** Those that are still where they were seen. */
  async #loadNamed(uuids: readonly string[]): Promise<Map<string, TablePointer>> {
    const names = uuids.flatMap((uuid) => this.#names.get(uuid) ?? []);
    const pointers = await this.loadMany(names);
    return new Map(pointers.flatMap((pointer) => (pointer === null ? [] : [[pointer.uuid, pointer] as const])));
  }

  async #page(
    names: readonly TableIdentifier[],
    options: { readonly after?: string; readonly limit: number },
  ): Promise<readonly TablePointer[]> {
    const found: TablePointer[] = [];
    // A table that was dropped after it was listed must not make a page look like the last one.
    for (let left = pageOf(names, printIdentifier, { ...options, limit: names.length }); left.length > 0; ) {
      const missing = options.limit - found.length;
      if (missing <= 0) break;
      const pointers = await this.loadMany(left.slice(0, missing));
      found.push(...pointers.filter((pointer) => pointer !== null));
      left = left.slice(missing);
    }
    return found;
  }

  #seen(pointer: TablePointer | null): TablePointer | null {
    if (pointer === null) return null;
    this.#names.set(pointer.uuid, pointer.identifier);
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= foreignNamesMax) break;
      this.#names.delete(oldest);
    }
    return pointer;
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
