import type { TableIdentifier } from '../iceberg/identifier.ts';

/** Which metadata file of a table is current. */
export interface TablePointer {
  readonly identifier: TableIdentifier;
  readonly uuid: string;
  readonly metadataLocation: string;
}

/** A namespace with its properties. Whatever holds a table or a view is one, and so is all above it. */
export interface Namespace {
  readonly parts: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Which metadata file of a view is current. Tables and views of one namespace share their names. */
export type ViewPointer = TablePointer;

export type PointerChange =
  /**
   * ALREADY_EXISTS where a table or a view has the name, with `exists: 'table' | 'view'` in the context. The namespace and those above it come
   * into being with it, unless `requireNamespace`: then NOT_FOUND where it does not exist.
   */
  | {
      readonly kind: 'create';
      readonly identifier: TableIdentifier;
      readonly uuid: string;
      readonly to: string;
      readonly requireNamespace?: boolean;
    }
  /** Compare and swap: CONFLICT (retryable) unless the pointer still is at `from`. */
  | {
      readonly kind: 'swap';
      readonly identifier: TableIdentifier;
      readonly uuid: string;
      readonly from: string;
      readonly to: string;
    }
  | { readonly kind: 'drop'; readonly identifier: TableIdentifier; readonly uuid: string; readonly from: string };

export type NamespaceChange =
  /** ALREADY_EXISTS. Namespaces above it come into being with it. */
  | { readonly kind: 'create'; readonly namespace: Namespace }
  /** NOT_FOUND. Removals of what is not set do nothing. */
  | {
      readonly kind: 'update';
      readonly parts: readonly string[];
      readonly set: Readonly<Record<string, string>>;
      readonly remove: readonly string[];
    }
  /** NOT_FOUND; FAILED_PRECONDITION, with `notEmpty: true` in the context, where it holds tables, views or namespaces. */
  | { readonly kind: 'drop'; readonly parts: readonly string[] };

/** A row on its way to one of Icecore's own tables, durable with the change it belongs to. */
export interface JournalDraft {
  /** `icecore.runs` and so on. */
  readonly table: string;
  /** What the entry is about, such as `model/churn`: guards compare the newest sequence number of a subject. */
  readonly subject: string;
  /** The row as JSON text; 64-bit integers are strings. */
  readonly row: string;
}

export interface JournalEntry extends JournalDraft {
  /** Rises by one from entry to entry over the whole catalog. */
  readonly seq: bigint;
  readonly flushed: boolean;
}

/** One link of a hash chain: sealed under the catalog's write lock, so that the chain has one order. */
export interface ChainLink {
  readonly chain: string;
  /** Called with the newest link; gives the new hash and the entry to record. Pure and quick: it runs inside the transaction. */
  seal(previous: ChainHead): { readonly hash: string; readonly entry: JournalDraft };
}

export interface ChainHead {
  /** 0 before the first link. */
  readonly seq: bigint;
  /** Lower-case hex; 64 zeros before the first link. */
  readonly hash: string;
}

/** CONFLICT (retryable) unless the newest entry about `subject` has this sequence number; 0 where there is none. */
export interface Guard {
  readonly subject: string;
  readonly seq: bigint;
}

/** CONFLICT (not retryable) unless the lease is still held under this fencing number. */
export interface Fence {
  readonly lease: string;
  readonly fence: bigint;
}

/** The claim of a mutation on its idempotency key, stored with its effect. */
export interface IdempotencyRecord {
  /** Caller and mutation. */
  readonly scope: string;
  readonly key: string;
  readonly inputSha256: string;
  /** What the payload is made from again, as JSON text. */
  readonly answer: string;
  readonly expiresAtMs: number;
}

export interface StoredAnswer {
  readonly inputSha256: string;
  readonly answer: string;
}

/** All of it happens, or none. */
export interface CatalogChange {
  /** Made before pointers change. */
  readonly namespaces?: readonly NamespaceChange[];
  /** Of tables. A rename is a drop and a create of the same uuid and location. */
  readonly pointers?: readonly PointerChange[];
  readonly views?: readonly PointerChange[];
  readonly entries?: readonly JournalDraft[];
  readonly links?: readonly ChainLink[];
  readonly guards?: readonly Guard[];
  readonly fences?: readonly Fence[];
  /** Of as many calls as the change is made of. */
  readonly claims?: readonly IdempotencyRecord[];
  /** Entries that this change's pointers now hold in their Iceberg table: marked as flushed. */
  readonly flushed?: readonly { readonly table: string; readonly throughSeq: bigint }[];
}

export interface CatalogCommit {
  /** The sequence numbers given to `entries`, then to the links' entries, in their order. */
  readonly seqs: readonly bigint[];
}

export interface SystemTableState {
  readonly pointer: TablePointer | null;
  /** Not yet flushed, oldest first. */
  readonly entries: readonly JournalEntry[];
}

/** The pointers of tables, the journal, leases and idempotency keys, each change atomic. One per store. */
export interface Catalog {
  /** Whether every `commit` is refused: the catalog is another server's. */
  readonly isReadOnly?: boolean;
  load(identifier: TableIdentifier): Promise<TablePointer | null>;
  loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]>;
  loadByUuid(uuid: string): Promise<TablePointer | null>;
  loadManyByUuid(uuids: readonly string[]): Promise<readonly (TablePointer | null)[]>;
  /** In order of the printed identifier, after `after`; only those at or below `namespace` where given. Tables, unless views are asked for. */
  list(options: {
    readonly kind?: 'table' | 'view';
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]>;
  loadNamespace(parts: readonly string[]): Promise<Namespace | null>;
  /** Those directly below `parent` (`[]` for the top), in order of the printed name, after `after` (a printed name). */
  listNamespaces(options: {
    readonly parent: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly Namespace[]>;
  loadView(identifier: TableIdentifier): Promise<ViewPointer | null>;
  /** As `list`; only those directly in `namespace`. */
  listViews(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly ViewPointer[]>;
  /** As `list`; only tables directly in `namespace`, not below it. */
  listTablesIn(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]>;
  /** Throws ALREADY_EXISTS (create), CONFLICT (the rest), naming what stood in the way. */
  commit(change: CatalogChange): Promise<CatalogCommit>;

  /** Entries after `seq`, oldest first, flushed or not. Complete where `seq >= trimmedThroughSeq`; below it flushed ones are forgotten. */
  journalAfter(
    seq: bigint,
    limit: number,
  ): Promise<{ readonly entries: readonly JournalEntry[]; readonly trimmedThroughSeq: bigint }>;
  /** The pointer and the unflushed entries of one of Icecore's own tables, read in one transaction. */
  systemTable(table: string, identifier: TableIdentifier): Promise<SystemTableState>;
  /** Tables with unflushed entries. */
  pendingTables(): Promise<readonly string[]>;
  /** Forgets entries flushed longer ago than `olderThanMs`, and expired idempotency keys and leases. */
  trim(olderThanMs: number): Promise<void>;
  /** The newest sequence number of the journal; 0 before the first entry. */
  headSeq(): Promise<bigint>;
  subjectSeq(subject: string): Promise<bigint>;
  chainHead(chain: string): Promise<ChainHead>;

  answer(scope: string, key: string): Promise<StoredAnswer | null>;

  /** The fencing number, or null where another owner holds an unexpired lease. Taking it again as the owner renews it. */
  acquireLease(lease: string, owner: string, ttlMs: number): Promise<bigint | null>;
  renewLease(lease: string, owner: string, fence: bigint, ttlMs: number): Promise<boolean>;
  releaseLease(lease: string, owner: string, fence: bigint): Promise<void>;
  /** Who holds it now; null where nobody does, or the lease has lapsed. */
  leaseHolder(lease: string): Promise<LeaseHolder | null>;

  /** Called after each commit that this process made or learnt of. Returns how to stop. */
  onCommit(listener: (event: CommitEvent) => void): () => void;
  close(): Promise<void>;
}

export interface LeaseHolder {
  readonly owner: string;
  readonly fence: bigint;
}

export interface CommitEvent {
  /** Empty where the commit was another process's. */
  readonly pointers: readonly PointerChange[];
  readonly headSeq: bigint;
}
