import { Access } from '../access/access.ts';
import type { Catalog, TablePointer } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { metadataReadsInFlightMax, parquetShapeCacheBytesMax } from '../limits.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import type { AllowedLocations } from '../storage/allowed-locations.ts';
import type { Storage } from '../storage/storage.ts';
import { AnswerVersions } from './answer-versions.ts';
import { ByteLru } from './byte-lru.ts';
import { CommitTurns } from './commit-turns.ts';
import { FileReads } from './file-reads.ts';
import { requireReadableFiles } from './foreign-files.ts';
import { nearNames } from './near-names.ts';
import type { ParquetShape } from './parquet-shape.ts';
import type { ReadCounts } from './read-counts.ts';
import { SharedCommits } from './shared-commits.ts';
import { shownMetadata } from './shown-metadata.ts';
import type { Table } from './table.ts';
import { TableTransaction } from './table-transaction.ts';

export interface TablesOptions {
  readonly catalog: Catalog;
  readonly storage: Storage;
  /** Writes data files and reads them on its trusted instance. */
  readonly duckdb: DuckDb;
  readonly clock: Clock;
  /** Location below which new tables get theirs. */
  readonly warehouse: string;
  /** Where tables may live; everywhere that storage reaches where left out. */
  readonly locations?: AllowedLocations | null;
  /** A local directory for data files on their way to storage; best on the warehouse's own file system. */
  readonly stagingDirectory: string;
  /** For whom tables are looked up; for everybody alike where left out. */
  readonly access?: Access;
  /** Whether DuckDB reads objects of S3 where they are; left out, it reads local copies. */
  readonly readsObjects?: boolean;
}

/** The tables of a catalog: where they are found, read and changed. Those that the caller at hand may not read are not there. */
export class Tables {
  readonly catalog: Catalog;
  readonly storage: Storage;
  readonly duckdb: DuckDb;
  readonly clock: Clock;
  readonly warehouse: string;
  readonly locations: AllowedLocations | null;
  readonly stagingDirectory: string;
  readonly access: Access;
  readonly readsObjects: boolean;
  readonly files: FileReads;
  readonly turns = new CommitTurns();
  readonly shared = new SharedCommits(this);
  readonly versions = new AnswerVersions();
  /** By local path, the columns of data files that had to be looked into. */
  readonly shapes = new ByteLru<ParquetShape>(parquetShapeCacheBytesMax);
  #catalogLoads = 0;

  constructor(options: TablesOptions) {
    this.catalog = options.catalog;
    this.storage = options.storage;
    this.duckdb = options.duckdb;
    this.clock = options.clock;
    this.warehouse = options.warehouse;
    this.locations = options.locations ?? null;
    this.stagingDirectory = options.stagingDirectory;
    this.access = options.access ?? Access.unrestricted();
    this.readsObjects = options.readsObjects ?? false;
    this.files = new FileReads(options.storage, (metadata, files) => requireReadableFiles(this, metadata, files));
  }

  /** The table as it is now, or null where there is none of that name. */
  async find(identifier: TableIdentifier): Promise<Table | null> {
    this.#catalogLoads++;
    return await this.#tableAt(await this.catalog.load(identifier));
  }

  /** The same. Throws NOT_FOUND, with names that may have been meant. */
  async load(identifier: TableIdentifier): Promise<Table> {
    return (await this.find(identifier)) ?? (await this.#refuseMissing(identifier));
  }

  async findByUuid(uuid: string): Promise<Table | null> {
    this.#catalogLoads++;
    return await this.#tableAt(await this.catalog.loadByUuid(uuid));
  }

  /** The tables of these names in their order, null for those that do not exist; all pointers are of one moment. */
  async loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (Table | null)[]> {
    this.#catalogLoads++;
    return await this.#tablesAt(await this.catalog.loadMany(identifiers));
  }

  /** The same by uuid. */
  async findManyByUuid(uuids: readonly string[]): Promise<readonly (Table | null)[]> {
    this.#catalogLoads++;
    return await this.#tablesAt(await this.catalog.loadManyByUuid(uuids));
  }

  /** In order of the printed names, those after `after`; only those at or below `namespace` where given. */
  async list(options: {
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly Table[]> {
    this.#catalogLoads++;
    const tables = await this.#tablesAt(await this.catalog.list(options));
    return tables.filter((table) => table !== null);
  }

  /** A change to any number of tables, entries and claims that happens as a whole. */
  transaction(): TableTransaction {
    return new TableTransaction(this);
  }

  /** A table as the caller at hand may see it. */
  shown(table: Table): Table {
    const metadata = shownMetadata(this.access, table.metadata);
    return metadata === table.metadata ? table : { ...table, metadata };
  }

  /** How often the catalog and storage were asked since the start. */
  counts(): ReadCounts {
    return {
      catalogLoads: this.#catalogLoads,
      metadataReads: this.files.metadataReads,
      manifestReads: this.files.manifestReads,
    };
  }

  async #tableAt(pointer: TablePointer | null): Promise<Table | null> {
    if (pointer === null) return null;
    const settled = this.versions.settled(pointer);
    return this.shown({ ...settled, metadata: await this.files.metadata(settled.metadataLocation) });
  }

  async #tablesAt(pointers: readonly (TablePointer | null)[]): Promise<readonly (Table | null)[]> {
    const tables: (Table | null)[] = [];
    for (let at = 0; at < pointers.length; at += metadataReadsInFlightMax) {
      const some = pointers.slice(at, at + metadataReadsInFlightMax);
      tables.push(...(await Promise.all(some.map((pointer) => this.#tableAt(pointer)))));
    }
    return tables;
  }

  async #refuseMissing(identifier: TableIdentifier): Promise<never> {
    const name = printIdentifier(identifier);
    if ((await this.catalog.loadView(identifier)) !== null) {
      throw new IcecoreError(
        'NOT_FOUND',
        `Table ${name} does not exist: ${name} is a view, which engines read over REST. Read the tables that it is made of.`,
        { context: { table: name, view: name, missing: 'table' } },
      );
    }
    const others = await this.catalog.list({ limit: 1000 });
    const near = nearNames(
      name,
      others.map((pointer) => printIdentifier(pointer.identifier)),
    );
    const hint = near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`;
    throw new IcecoreError('NOT_FOUND', `Table ${name} does not exist.${hint}`, { context: { table: name, missing: 'table' } });
  }
}
