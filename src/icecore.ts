import { createHmac } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Access } from './access/access.ts';
import { ApiKeys } from './access/api-keys.ts';
import { loadGrants } from './access/grants.ts';
import { fileAnchor } from './audit/anchor.ts';
import { Audit } from './audit/audit.ts';
import { auditLog } from './audit/audit-entry.ts';
import { readFormerKeys } from './audit/former-keys.ts';
import { SigningKey } from './audit/signing-key.ts';
import type { Catalog } from './catalog/catalog.ts';
import { GuardedCatalog } from './catalog/guarded-catalog.ts';
import { openCatalog } from './catalog/open-catalog.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { IcecoreError } from './errors.ts';
import { featureSetTable } from './features/feature-set-table.ts';
import { FeatureSets } from './features/feature-sets.ts';
import { Features } from './features/features.ts';
import { Materializations } from './features/materializations.ts';
import { hiddenThings, type Shown } from './lakehouse/hidden-things.ts';
import { Maintenance } from './lakehouse/maintenance.ts';
import { RowWrites } from './lakehouse/row-writes.ts';
import { Selects } from './lakehouse/selects.ts';
import { shownEntries } from './lakehouse/shown-entries.ts';
import { SnapshotFeed } from './lakehouse/snapshot-feed.ts';
import { TableOperations } from './lakehouse/table-operations.ts';
import { IcebergLedgerStore } from './ledger/iceberg-ledger-store.ts';
import { Ledger } from './ledger/ledger.ts';
import type { AnyLedgerTable } from './ledger/ledger-table.ts';
import { Lineage } from './lineage/lineage.ts';
import { lineageEdgeTable } from './lineage/lineage-edge-table.ts';
import { TableHistory } from './lineage/table-history.ts';
import { worstStates } from './lineage/worst-state.ts';
import { modelEventTable } from './models/model-event-table.ts';
import { ModelFeed } from './models/model-feed.ts';
import { modelTable } from './models/model-table.ts';
import { modelVersionTable } from './models/model-version-table.ts';
import { Models } from './models/models.ts';
import { versionStates } from './models/version-states.ts';
import { CatalogTables } from './rest-catalog/catalog-tables.ts';
import { metricsReportTable } from './rest-catalog/metrics-report-table.ts';
import { MetricsReports } from './rest-catalog/metrics-reports.ts';
import { Namespaces } from './rest-catalog/namespaces.ts';
import { clientS3Endpoint, openTableAccesses } from './rest-catalog/open-table-accesses.ts';
import { ownS3Endpoint } from './rest-catalog/s3-endpoint.ts';
import type { TableAccesses } from './rest-catalog/table-access.ts';
import { TableCommits } from './rest-catalog/table-commits.ts';
import { ViewOperations } from './rest-catalog/views.ts';
import { runTable } from './runs/run-table.ts';
import { Runs } from './runs/runs.ts';
import { AllowedOrigins } from './scoring/allowed-origins.ts';
import { Scoring } from './scoring/scoring.ts';
import { DuckDb } from './sql/duckdb.ts';
import { findHttpfs } from './sql/httpfs.ts';
import { type AllowedLocations, allowedLocations, realLocalRoots } from './storage/allowed-locations.ts';
import { FileUrls } from './storage/file-urls.ts';
import { printLocation } from './storage/location.ts';
import { type OpenedStorage, openStorage, warehouseLocation } from './storage/routed-storage.ts';
import { s3KeysFrom, s3RegionFrom } from './storage/s3-client.ts';
import { areReadable } from './tables/readable.ts';
import { Tables } from './tables/tables.ts';
import { TrainingFeeds } from './training/feed/feed.ts';
import { TrainingPlans } from './training/plan/training-plan.ts';
import { Training } from './training/training.ts';
import { trainingSetTable } from './training/training-set-table.ts';
import { Views } from './views/views.ts';

/** Icecore's own tables. */
const ledgerTables: readonly AnyLedgerTable[] = [
  auditLog,
  lineageEdgeTable,
  runTable,
  featureSetTable,
  trainingSetTable,
  modelTable,
  modelVersionTable,
  modelEventTable,
  metricsReportTable,
];

interface Ground {
  readonly keys: ApiKeys;
  readonly access: Access;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly storage: OpenedStorage;
  readonly locations: AllowedLocations;
  readonly tableAccesses: TableAccesses;
  readonly duckdb: DuckDb;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly signingKey: SigningKey;
  readonly formerKeys: readonly string[];
}

/** The domain behind the API: one server over one store. The one place that builds things and hands them to each other. */
export class Icecore {
  readonly config: Config;
  readonly keys: ApiKeys;
  readonly access: Access;
  readonly clock: Clock;
  readonly catalog: Catalog;
  /** Where tables may live. */
  readonly locations: AllowedLocations;
  /** How clients reach the files of tables. */
  readonly tableAccesses: TableAccesses;
  /** Of tickets for tables that are staged. */
  readonly stagingSecret: Uint8Array;
  readonly duckdb: DuckDb;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly runs: Runs;
  readonly features: Features;
  readonly featureSets: FeatureSets;
  readonly materializations: Materializations;
  readonly training: Training;
  readonly trainingFeeds: TrainingFeeds;
  readonly trainingPlans: TrainingPlans;
  readonly models: Models;
  readonly scoring: Scoring;
  readonly modelFeed: ModelFeed;
  readonly tableOperations: TableOperations;
  readonly views: Views;
  readonly viewOperations: ViewOperations;
  readonly metricsReports: MetricsReports;
  readonly rowWrites: RowWrites;
  readonly selects: Selects;
  readonly snapshotFeed: SnapshotFeed;
  readonly maintenance: Maintenance;
  readonly namespaces: Namespaces;
  readonly catalogTables: CatalogTables;
  readonly tableCommits: TableCommits;
  readonly #storage: OpenedStorage;

  private constructor(config: Config, ground: Ground) {
    const { access, catalog, clock, duckdb, formerKeys, keys, ledger, locations, signingKey, storage, tables } = ground;
    this.config = config;
    this.keys = keys;
    this.access = access;
    this.clock = clock;
    this.catalog = catalog;
    this.locations = locations;
    this.tableAccesses = ground.tableAccesses;
    this.stagingSecret = signingKey.secretFor('staged tables');
    this.duckdb = duckdb;
    this.tables = tables;
    this.ledger = ledger;
    this.#storage = storage;
    const anchor = fileAnchor(config.auditAnchorFile);
    const audit = new Audit({
      access,
      shown: (rows) => shownEntries(this.#shown(), rows),
      catalog,
      ledger,
      clock,
      signingKey,
      formerKeys,
      anchor,
      workDirectory: config.cacheDirectory,
    });
    const history = new TableHistory(tables);
    const lineage = new Lineage({
      ledger,
      clock,
      hidden: (refs) => hiddenThings(this.#shown(), refs),
      seal: sealedBy(signingKey.secretFor('hidden-lineage')),
      states: (refs) =>
        worstStates(refs, [(all) => history.states(all), (all) => versionStates(ledger, all), (all) => this.scoring.states(all)]),
      implied: async (refs, way, limit) => [
        ...(await history.implied(refs, way, limit)),
        ...(await this.scoring.implied(refs, way)),
      ],
    });
    this.audit = audit;
    this.lineage = lineage;
    this.runs = new Runs({
      catalog,
      ledger,
      clock,
      audit,
      access,
      readable: (refs) => areReadable(tables, refs),
      transaction: () => tables.transaction(),
    });
    this.features = new Features({ catalog, tables, duckdb, ledger, audit, lineage, clock });
    this.tableOperations = new TableOperations({ catalog, tables, audit, lineage, clock });
    this.views = new Views({ catalog, tables, clock });
    this.viewOperations = new ViewOperations({ catalog, views: this.views, audit, clock, access });
    this.metricsReports = new MetricsReports({ catalog, ledger, clock });
    this.rowWrites = new RowWrites({ catalog, tables, duckdb, audit, lineage, clock, fileRoots: config.fileRoots });
    this.selects = new Selects({ tables, duckdb, ledger });
    this.snapshotFeed = new SnapshotFeed({ tables, catalog });
    this.maintenance = new Maintenance({ catalog, tables, runs: this.runs, audit, lineage, clock });
    this.catalogTables = new CatalogTables({ catalog, tables, audit, lineage, clock });
    this.tableCommits = new TableCommits({ catalog, tables, audit, lineage, clock });
    this.namespaces = new Namespaces({ catalog, audit, clock, access });
    const featureSets = new FeatureSets({ catalog, tables, ledger, audit, lineage, clock });
    this.featureSets = featureSets;
    const training = new Training({ catalog, tables, duckdb, ledger, audit, lineage, runs: this.runs, clock, featureSets });
    this.training = training;
    this.trainingFeeds = new TrainingFeeds({
      tables,
      duckdb,
      trainingSet: (name, version) => training.require(name, version),
      trainingSetAt: (name, snapshotId) => training.trainingSetAt(name, snapshotId),
      cacheDirectory: config.cacheDirectory,
      cacheBytesMax: config.feedCacheBytesMax,
      storage: { warehouse: config.warehouse, allowedLocations: config.allowedLocations },
    });
    this.trainingPlans = new TrainingPlans({
      sources: this.trainingFeeds.sources,
      groups: this.trainingFeeds.groups,
      urls: new FileUrls({
        address: clientS3Endpoint(config) ?? ownS3Endpoint(process.env),
        keys: s3KeysFrom(process.env),
        region: () => s3RegionFrom(process.env),
      }),
      clock,
    });
    this.materializations = new Materializations({ catalog, tables, duckdb, audit, lineage, runs: this.runs, clock });
    this.models = new Models({
      catalog,
      tables,
      ledger,
      audit,
      lineage,
      clock,
      signingKey,
      allowLocalApproval: config.allowLocalApproval,
      training,
    });
    this.modelFeed = new ModelFeed({ catalog, ledger, read: this.models.read });
    this.scoring = new Scoring({
      catalog,
      tables,
      duckdb,
      ledger,
      runs: this.runs,
      audit,
      lineage,
      clock,
      models: this.models.read,
      training,
      origins: new AllowedOrigins(config.modelOrigins),
      publicKeys: [signingKey.publicKey, ...formerKeys],
    });
  }

  /** Opens the store, making it where there is none, and takes over what an earlier server left unfinished. */
  static async open(config: Config, clock: Clock = systemClock): Promise<Icecore> {
    const keys = await ApiKeys.load(config.apiKeys, clock);
    const access = await accessOf(config, keys);
    // What goes on by itself from here on, such as timers, is the server's own work.
    return await access.asServer(() => Icecore.#open(config, clock, keys, access));
  }

  static async #open(config: Config, clock: Clock, keys: ApiKeys, access: Access): Promise<Icecore> {
    const cache = config.cacheDirectory;
    await mkdir(cache, { recursive: true });
    const signingKey = await SigningKey.load(config.signingKeyFile);
    keys.allowTokens(signingKey.secretFor('access tokens'));
    const formerKeys = await readFormerKeys(config.formerKeyFiles);
    const opened = await openCatalog(config.catalog, clock);
    const catalog = access.inForce ? new GuardedCatalog(opened, access) : opened;
    const storage = await openStorage({
      warehouse: config.warehouse,
      allowedLocations: config.allowedLocations,
      cacheDir: join(cache, 'files'),
    });
    const locations = allowedLocations(config.warehouse, config.allowedLocations);
    const tableAccesses = await openTableAccesses(config, { locations, clock, environment: process.env });
    const warehouse = warehouseLocation(config.warehouse);
    const remote = locations.roots.filter(({ scheme }) => scheme === 's3').map(printLocation);
    const httpfs = remote.length === 0 ? null : await findHttpfs(config.duckdbExtensions, process.env);
    const duckdb = await DuckDb.open({
      spillDirectory: join(cache, 'spill'),
      memoryBytesMax: config.engineMemoryBytesMax,
      threads: config.engineThreads,
      // Without httpfs, objects of an object store are read as copies in the cache.
      readableDirectories: [...(await realLocalRoots(locations)), cache, ...(httpfs === null ? [] : remote)],
      setup: httpfs?.setup ?? [],
    });
    const tables = new Tables({
      catalog,
      storage,
      duckdb,
      clock,
      warehouse,
      locations,
      stagingDirectory: join(cache, 'staging'),
      access,
      readsObjects: httpfs !== null,
    });
    const ledger = await Ledger.open({
      catalog,
      store: new IcebergLedgerStore(tables),
      indexDirectory: join(cache, 'ledger'),
      tables: ledgerTables,
    });
    const ground = {
      keys,
      access,
      clock,
      catalog,
      storage,
      locations,
      tableAccesses,
      duckdb,
      tables,
      ledger,
      signingKey,
      formerKeys,
    };
    const icecore = new Icecore(config, ground);
    icecore.audit.start();
    await icecore.runs.begin();
    await icecore.scoring.sweep();
    return icecore;
  }

  /** Where what a thing is about is looked up, to say to whom it shows. */
  #shown(): Shown {
    return {
      tables: this.tables,
      featureSets: this.featureSets,
      training: this.training,
      models: this.models.read,
      runs: this.runs,
    };
  }

  /** Throws where requests could not be answered. */
  async checkReady(): Promise<void> {
    await this.catalog.headSeq();
  }

  /** Lets runs go, moves what waits in the journal to its tables, and closes the store. */
  async close(): Promise<void> {
    await this.access.asServer(async () => {
      await this.trainingFeeds.close();
      await this.runs.close();
      await this.audit.close();
      await this.ledger.close();
      await this.catalog.close();
      await this.duckdb.close();
      await this.#storage.close();
    });
  }
}

/** Makes ids of which nothing can be told, the same on every server of one signing key. */
function sealedBy(secret: Uint8Array): (text: string) => string {
  return (text) => createHmac('sha256', secret).update(text).digest('hex').slice(0, 32);
}

/** Throws BAD_USER_INPUT where grants are given and nothing tells callers apart: they would protect nothing. */
async function accessOf(config: Config, keys: ApiKeys): Promise<Access> {
  const grants = await loadGrants(config.grants);
  if (keys.inForce) return Access.by(grants);
  if (config.grants === undefined) return Access.unrestricted();
  throw new IcecoreError(
    'BAD_USER_INPUT',
    'ICECORE_GRANTS says who may see which tables, and without ICECORE_API_KEYS this server does not know its callers: set both, or neither.',
  );
}
