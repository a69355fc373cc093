import type { Call } from '../access/call.ts';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog, TablePointer } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { once } from '../ledger/once.ts';
import { tableMetadataBytesMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { expiryEdges } from '../lineage/table-history.ts';
import { requireReadableFile } from '../tables/foreign-files.ts';
import { checkLocations } from '../tables/metadata-locations.ts';
import { pinsOf } from '../tables/pin.ts';
import type { Table } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate, requireWrite } from '../tables/write-access.ts';
import { newIdentifier, writable } from './names.ts';
import { beginCatalogTable, type NewCatalogTable } from './new-catalog-table.ts';
import { purgeTable, refusePurge } from './purge.ts';
import { inReferenceWords, noSuchFile, noSuchNamespace, noSuchTable, plainName, tableExists, viewHasName } from './refusal.ts';

export interface CatalogTablesOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
}

/** Tables as engines see them: each change with its audit entry, and refusals in the reference implementation's words. */
export class CatalogTables {
  readonly #options: CatalogTablesOptions;

  constructor(options: CatalogTablesOptions) {
    this.#options = options;
  }

  /** Those directly in the namespace, by printed name, after `after`. Throws NOT_FOUND where there is no such namespace. */
  async list(
    caller: Caller,
    options: { readonly namespace: readonly string[]; readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly TablePointer[]> {
    requireRole(caller, 'viewer', 'list tables');
    const { namespace, after, limit } = options;
    const { catalog } = this.#options;
    const found = await catalog.listTablesIn({ namespace, limit, ...(after === undefined ? {} : { after }) });
    if (found.length === 0 && (await catalog.loadNamespace(namespace)) === null) throw noSuchNamespace(namespace);
    return found;
  }

  /** Where the table's metadata is. Throws NOT_FOUND. */
  async pointer(caller: Caller, identifier: TableIdentifier): Promise<TablePointer> {
    requireRole(caller, 'viewer', 'read tables');
    const pointer = await this.#options.catalog.load(identifier);
    if (pointer === null) throw noSuchTable(identifier);
    return pointer;
  }

  /** Throws ALREADY_EXISTS, NOT_FOUND without the namespace, BAD_USER_INPUT, FORBIDDEN. */
  async create(call: Call, identifier: TableIdentifier, definition: NewCatalogTable): Promise<Table> {
    requireRole(call.caller, 'scientist', 'create tables');
    await this.#requireFree(newIdentifier(identifier));
    const metadata = beginCatalogTable(this.#options.tables, identifier, definition);
    return await this.#change(call, 'createTable', identifier, (transaction) => {
      transaction.createFrom(identifier, metadata, { requireNamespace: true });
      return { tableUuid: metadata.tableUuid, payload: {} };
    });
  }

  /** What the table would begin as; nothing is kept of it until it is committed with `assert-create`. Throws as `create`. */
  async stage(caller: Caller, identifier: TableIdentifier, definition: NewCatalogTable): Promise<TableMetadata> {
    requireRole(caller, 'scientist', 'create tables');
    await this.#requireFree(newIdentifier(identifier));
    const metadata = beginCatalogTable(this.#options.tables, identifier, definition);
    await checkLocations(this.#options.tables, identifier, metadata);
    return metadata;
  }

  /**
   * A table from a metadata file that is there already; with `overwrites` in place of the one that has the name. Throws as `create`, and
   * NOT_FOUND where the file is missing, PINNED where something rests on the table it would replace.
   */
  async register(
    call: Call,
    identifier: TableIdentifier,
    { metadataLocation, overwrites }: { readonly metadataLocation: string; readonly overwrites: boolean },
  ): Promise<Table> {
    requireRole(call.caller, overwrites ? 'admin' : 'scientist', 'register tables');
    await this.#requireFree(newIdentifier(identifier), { overwrites });
    const { tables } = this.#options;
    await requireReadableFile(tables, metadataLocation);
    const metadata = await readMetadataFile(tables, metadataLocation);
    // Whoever wrote the file may have made them up, and a table with pins is not dropped any more.
    if (pinsOf(metadata).size > 0) requireRole(call.caller, 'admin', 'register tables that have pins');
    return await this.#change(call, 'registerTable', identifier, async (transaction) => {
      const replaced = overwrites ? await tables.find(identifier) : null;
      if (replaced !== null) this.#recordHistory(transaction, call, replaced);
      transaction.register(identifier, { metadataLocation, metadata }, { requireNamespace: true, overwrites });
      return { tableUuid: metadata.tableUuid, payload: { metadataLocation } };
    });
  }

  /** Throws NOT_FOUND for the table or the new namespace, ALREADY_EXISTS where the new name is taken, BAD_USER_INPUT, FORBIDDEN. */
  async rename(call: Call, from: TableIdentifier, to: TableIdentifier): Promise<void> {
    requireRole(call.caller, 'scientist', 'rename tables');
    newIdentifier(to);
    const table = await this.#writable(from, 'rename');
    await this.#requireFree(to, { from });
    await this.#change(call, 'renameTable', to, (transaction) => {
      transaction.rename(table, to, { requireNamespace: true });
      return { tableUuid: table.uuid, payload: { from: plainName(from) } };
    });
  }

  /**
   * Forgets the table; with `purge` its files too, those below its location. Throws NOT_FOUND, FORBIDDEN, PINNED where something rests on
   * a snapshot of it, and FAILED_PRECONDITION for a purge where `gc.enabled` is false: then the files may be another table's as well.
   */
  async drop(call: Call, identifier: TableIdentifier, purge: boolean): Promise<void> {
    requireRole(call.caller, 'admin', 'drop tables');
    const table = await this.#writable(identifier, 'drop');
    if (purge) refusePurge(table);
    await this.#commit(call, 'dropTable', identifier, (transaction) => {
      this.#recordHistory(transaction, call, table);
      transaction.drop(table);
      return { tableUuid: table.uuid, payload: { purge } };
    });
    // The server's own work from here on: what it reads to know which files are this table's alone is told to nobody.
    if (purge) await this.#options.tables.access.asServer(() => purgeTable(this.#options.tables, table));
  }

  /** Throws FORBIDDEN, ALREADY_EXISTS where a table (unless it is overwritten) or a view has the name, NOT_FOUND where the namespace is missing. */
  async #requireFree(
    identifier: TableIdentifier,
    { overwrites = false, from }: { readonly overwrites?: boolean; readonly from?: TableIdentifier } = {},
  ): Promise<void> {
    const { catalog, tables } = this.#options;
    const { namespace } = identifier;
    requireCreate(tables.access, identifier, 'create');
    if ((await catalog.loadNamespace(namespace)) === null) throw noSuchNamespace(namespace);
    if (!overwrites && (await catalog.load(identifier)) !== null) throw tableExists(identifier);
    if ((await catalog.loadView(identifier)) !== null) throw viewHasName(identifier, from);
  }

  async #writable(identifier: TableIdentifier, action: string): Promise<Table> {
    const table = await this.#load(writable(identifier));
    await requireWrite(this.#options.tables, identifier, action);
    return table;
  }

  async #load(identifier: TableIdentifier): Promise<Table> {
    const table = await this.#options.tables.find(identifier);
    if (table === null) throw noSuchTable(identifier);
    return table;
  }

  /** What the snapshots came from would be forgotten with the table. */
  #recordHistory(transaction: TableTransaction, { caller }: Call, table: Table): void {
    const all = table.metadata.snapshots.map(({ snapshotId }) => snapshotId);
    for (const entry of this.#options.lineage.drafts(expiryEdges(table, all), caller)) transaction.entry(entry);
  }

  async #change(call: Call, action: string, identifier: TableIdentifier, prepare: Prepare): Promise<Table> {
    const made = await this.#commit(call, action, identifier, prepare);
    return made ?? (await this.#load(identifier));
  }

  /** One transaction with its audit entry and its claim on the idempotency key. Gives the table it made; null for one that it made before. */
  async #commit(call: Call, action: string, identifier: TableIdentifier, prepare: Prepare): Promise<Table | null> {
    const { tables, audit } = this.#options;
    const { caller } = call;
    let made: Table | null = null;
    await once(this.#options, { ...call, mutation: action }, async (claim) => {
      const transaction = tables.transaction();
      const { tableUuid, payload } = await prepare(transaction);
      const subject = auditSubject({ kind: 'TABLE', uuid: tableUuid, version: null });
      const name = printIdentifier(identifier);
      transaction.link(audit.link({ caller, action, subject, outcome: 'SUCCEEDED', payload: { name, ...payload } }));
      const record = claim({});
      if (record !== null) transaction.claim(record);
      try {
        made = (await transaction.commit()).tables[0] ?? null;
      } catch (error) {
        throw inReferenceWords(error, identifier);
      }
      return {};
    });
    return made;
  }
}

interface Prepared {
  readonly tableUuid: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

type Prepare = (transaction: TableTransaction) => Prepared | Promise<Prepared>;

async function readMetadataFile(tables: Tables, location: string): Promise<TableMetadata> {
  const bytes = await tables.storage.size(location);
  if (bytes === null) throw noSuchFile(location);
  if (bytes > tableMetadataBytesMax) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The metadata file ${location} has ${bytes} bytes, and may have ${tableMetadataBytesMax}: expire snapshots first.`,
    );
  }
  return await tables.files.metadata(location);
}
