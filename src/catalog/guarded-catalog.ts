import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Access } from '../access/access.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../iceberg/identifier.ts';
import { pointersLookedThrough } from '../limits.ts';
import type {
  Catalog,
  CatalogChange,
  CatalogCommit,
  ChainHead,
  CommitEvent,
  LeaseHolder,
  Namespace,
  StoredAnswer,
  SystemTableState,
  TablePointer,
  ViewPointer,
} from './catalog.ts';

/**
 * A catalog of which everybody sees their own part: what may not be read is not there (semantics, section 9). A name that may not be read
 * is not even looked up, so that it takes no longer where there is something. Changes are not judged here: who may make
 * them is decided where it is known what they are.
 */
export class GuardedCatalog implements Catalog {
  readonly #catalog: Catalog;
  readonly #access: Access;
  readonly #lookedThrough: number;

  /** `lookedThrough` names are read at a time where some of them may not be seen. */
  constructor(catalog: Catalog, access: Access, lookedThrough = pointersLookedThrough) {
    this.#catalog = catalog;
    this.#access = access;
    this.#lookedThrough = lookedThrough;
  }

  get isReadOnly(): boolean {
    return this.#catalog.isReadOnly === true;
  }

  async load(identifier: TableIdentifier): Promise<TablePointer | null> {
    return this.#access.mayRead(identifier) ? await this.#catalog.load(identifier) : null;
  }

  async loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]> {
    const readable = identifiers.map((identifier) => this.#access.mayRead(identifier));
    const found = await this.#catalog.loadMany(identifiers.filter((_, index) => readable[index]));
    let next = 0;
    return readable.map((isReadable) => (isReadable ? (found[next++] ?? null) : null));
  }

  async loadByUuid(uuid: string): Promise<TablePointer | null> {
    return this.#readable(await this.#catalog.loadByUuid(uuid));
  }

  async loadManyByUuid(uuids: readonly string[]): Promise<readonly (TablePointer | null)[]> {
    return (await this.#catalog.loadManyByUuid(uuids)).map((pointer) => this.#readable(pointer));
  }

  async list(options: Parameters<Catalog['list']>[0]): Promise<readonly TablePointer[]> {
    if (options.namespace !== undefined && !this.#access.mayReadNamespace(options.namespace)) return [];
    return await this.#pointers(options, (page) => this.#catalog.list({ ...options, ...page }));
  }

  async loadNamespace(parts: readonly string[]): Promise<Namespace | null> {
    return this.#access.mayReadNamespace(parts) ? await this.#catalog.loadNamespace(parts) : null;
  }

  async listNamespaces(options: Parameters<Catalog['listNamespaces']>[0]): Promise<readonly Namespace[]> {
    return await this.#visible(
      options,
      (page) => this.#catalog.listNamespaces({ ...options, ...page }),
      ({ parts }) => this.#access.mayReadNamespace(parts),
      ({ parts }) => printNamespace(parts),
    );
  }

  async loadView(identifier: TableIdentifier): Promise<ViewPointer | null> {
    return this.#access.mayRead(identifier) ? await this.#catalog.loadView(identifier) : null;
  }

  async listViews(options: Parameters<Catalog['listViews']>[0]): Promise<readonly ViewPointer[]> {
    return await this.#pointers(options, (page) => this.#catalog.listViews({ ...options, ...page }));
  }

  async listTablesIn(options: Parameters<Catalog['listTablesIn']>[0]): Promise<readonly TablePointer[]> {
    return await this.#pointers(options, (page) => this.#catalog.listTablesIn({ ...options, ...page }));
  }

  commit(change: CatalogChange): Promise<CatalogCommit> {
    return this.#catalog.commit(change);
  }

  journalAfter(seq: bigint, limit: number): ReturnType<Catalog['journalAfter']> {
    return this.#catalog.journalAfter(seq, limit);
  }

  systemTable(table: string, identifier: TableIdentifier): Promise<SystemTableState> {
    return this.#catalog.systemTable(table, identifier);
  }

  pendingTables(): Promise<readonly string[]> {
    return this.#catalog.pendingTables();
  }

  trim(olderThanMs: number): Promise<void> {
    return this.#catalog.trim(olderThanMs);
  }

  headSeq(): Promise<bigint> {
    return this.#catalog.headSeq();
  }

  subjectSeq(subject: string): Promise<bigint> {
    return this.#catalog.subjectSeq(subject);
  }

  chainHead(chain: string): Promise<ChainHead> {
    return this.#catalog.chainHead(chain);
  }

  answer(scope: string, key: string): Promise<StoredAnswer | null> {
    return this.#catalog.answer(scope, key);
  }

  acquireLease(lease: string, owner: string, ttlMs: number): Promise<bigint | null> {
    return this.#catalog.acquireLease(lease, owner, ttlMs);
  }

  renewLease(lease: string, owner: string, fence: bigint, ttlMs: number): Promise<boolean> {
    return this.#catalog.renewLease(lease, owner, fence, ttlMs);
  }

  releaseLease(lease: string, owner: string, fence: bigint): Promise<void> {
    return this.#catalog.releaseLease(lease, owner, fence);
  }

  leaseHolder(lease: string): Promise<LeaseHolder | null> {
    return this.#catalog.leaseHolder(lease);
  }

  onCommit(listener: (event: CommitEvent) => void): () => void {
    return this.#catalog.onCommit(listener);
  }

  close(): Promise<void> {
    return this.#catalog.close();
  }

  #readable(pointer: TablePointer | null): TablePointer | null {
    return pointer !== null && this.#access.mayRead(pointer.identifier) ? pointer : null;
  }

  async #pointers(options: Page, read: (page: Page) => Promise<readonly TablePointer[]>): Promise<readonly TablePointer[]> {
    return await this.#visible(
      options,
      read,
      ({ identifier }) => this.#access.mayRead(identifier),
      ({ identifier }) => printIdentifier(identifier),
    );
  }

  /** A full page of what may be seen, where there is that much: a short one would tell of what was left out. */
  async #visible<Item>(
    { after, limit }: Page,
    read: (page: Page) => Promise<readonly Item[]>,
    isVisible: (item: Item) => boolean,
    keyOf: (item: Item) => string,
  ): Promise<readonly Item[]> {
    const { grants, unrestricted } = this.#access.permissions;
    if (unrestricted) return await read({ limit, ...(after === undefined ? {} : { after }) });
    if (grants.length === 0) return [];
    const found: Item[] = [];
    const size = Math.max(limit, this.#lookedThrough);
    for (let from = after; ; ) {
      const some = await read({ limit: size, ...(from === undefined ? {} : { after: from }) });
      found.push(...some.filter(isVisible));
      const last = some.at(-1);
      if (last === undefined || some.length < size || found.length >= limit) return found.slice(0, limit);
      from = keyOf(last);
      // An embedded catalog holds up the event loop while it reads: let others in between.
      await nextTurn();
    }
  }
}

interface Page {
  readonly after?: string;
  readonly limit: number;
}
