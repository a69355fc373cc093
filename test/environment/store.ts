import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Actor, Caller, Role } from '../../src/access/caller.ts';
import { Audit } from '../../src/audit/audit.ts';
import { auditLog } from '../../src/audit/audit-entry.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { SqliteCatalog } from '../../src/catalog/sqlite-catalog.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { featureSetTable } from '../../src/features/feature-set-table.ts';
import { FeatureSets } from '../../src/features/feature-sets.ts';
import { Features } from '../../src/features/features.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { Lineage } from '../../src/lineage/lineage.ts';
import { lineageEdgeTable } from '../../src/lineage/lineage-edge-table.ts';
import { modelEventTable } from '../../src/models/model-event-table.ts';
import { modelTable } from '../../src/models/model-table.ts';
import { modelVersionTable } from '../../src/models/model-version-table.ts';
import { Models } from '../../src/models/models.ts';
import { runTable } from '../../src/runs/run-table.ts';
import { Runs } from '../../src/runs/runs.ts';
import { AllowedOrigins } from '../../src/scoring/allowed-origins.ts';
import type { EndpointLimits } from '../../src/scoring/call-endpoint.ts';
import { Scoring } from '../../src/scoring/scoring.ts';
import { DuckDb } from '../../src/sql/duckdb.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { Tables } from '../../src/tables/tables.ts';
import { Training } from '../../src/training/training.ts';
import { trainingSetTable } from '../../src/training/training-set-table.ts';

export interface StoreOptions {
  readonly clock?: Clock;
  readonly allowLocalApproval?: boolean;
  readonly runLeaseMs?: number;
  /** Of model servers that may be called. */
  readonly modelOrigins?: readonly string[];
  readonly endpointLimits?: Partial<EndpointLimits>;
}

/** One server over a store: everything below the API, really there, its ledger rows kept in the journal. */
export class Store {
  readonly directory: string;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly duckdb: DuckDb;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly runs: Runs;
  readonly features: Features;
  readonly featureSets: FeatureSets;
  readonly signingKey: SigningKey;
  readonly training: Training;
  readonly models: Models;
  readonly scoring: Scoring;
  readonly #ownsDirectory: boolean;

  private constructor(
    directory: string,
    ownsDirectory: boolean,
    options: StoreOptions,
    opened: { readonly catalog: Catalog; readonly duckdb: DuckDb; readonly ledger: Ledger; readonly signingKey: SigningKey },
  ) {
    const { catalog, duckdb, ledger, signingKey } = opened;
    const clock = options.clock ?? systemClock;
    this.directory = directory;
    this.#ownsDirectory = ownsDirectory;
    this.clock = clock;
    this.catalog = catalog;
    this.duckdb = duckdb;
    this.ledger = ledger;
    this.signingKey = signingKey;
    const tables = new Tables({
      catalog,
      storage: new LocalStorage({ roots: [directory] }),
      duckdb,
      clock,
      warehouse: `file://${directory}/warehouse`,
      stagingDirectory: join(directory, `staging-${randomUUID()}`),
    });
    this.tables = tables;
    this.audit = new Audit({ catalog, ledger, clock, signingKey, anchor: null, workDirectory: directory });
    this.lineage = new Lineage({ ledger, clock });
    const { audit, lineage } = this;
    this.runs = new Runs({
      catalog,
      ledger,
      clock,
      transaction: () => tables.transaction(),
      audit,
      ...(options.runLeaseMs === undefined ? {} : { leaseMs: options.runLeaseMs, recoveryIntervalMs: options.runLeaseMs }),
    });
    this.features = new Features({ catalog, tables, duckdb, ledger, audit, lineage, clock });
    this.featureSets = new FeatureSets({ catalog, tables, ledger, audit, lineage, clock });
    const { featureSets, runs } = this;
    const training = new Training({ catalog, tables, duckdb, ledger, audit, lineage, runs, clock, featureSets });
    this.training = training;
    this.models = new Models({
      catalog,
      tables,
      ledger,
      audit,
      lineage,
      clock,
      signingKey,
      allowLocalApproval: options.allowLocalApproval ?? false,
      training,
    });
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
      origins: new AllowedOrigins(options.modelOrigins ?? []),
      publicKeys: [signingKey.publicKey],
      ...(options.endpointLimits === undefined ? {} : { limits: options.endpointLimits }),
    });
  }

  /** A server over a store of its own; or, given a directory, another server over the store that is there. */
  static async open(options: StoreOptions = {}, directory?: string): Promise<Store> {
    const where = directory ?? (await mkdtemp(join(tmpdir(), 'icecore-store-')));
    const catalog = await SqliteCatalog.open(join(where, 'catalog.db'), options.clock ?? systemClock);
    const duckdb = await DuckDb.open({
      spillDirectory: join(where, 'spill'),
      memoryBytesMax: 1024 * 1024 * 1024,
      threads: 2,
      readableDirectories: [where],
    });
    const ledger = await Ledger.open({
      catalog,
      store: inJournal,
      indexDirectory: join(where, `index-${randomUUID()}`),
      tables: [
        auditLog,
        lineageEdgeTable,
        runTable,
        featureSetTable,
        trainingSetTable,
        modelTable,
        modelVersionTable,
        modelEventTable,
      ],
      flushIntervalMs: null,
    });
    const signingKey = await SigningKey.load(join(where, 'signing-key.pem'));
    return new Store(where, directory === undefined, options, { catalog, duckdb, ledger, signingKey });
  }

  async close(): Promise<void> {
    await this.runs.close();
    await this.catalog.close();
    await this.duckdb.close();
    if (this.#ownsDirectory) await rm(this.directory, { recursive: true, force: true });
  }
}

/** A caller with a credential. */
export function caller(id: string, roles: readonly Role[], kind: Actor['kind'] = 'HUMAN'): Caller {
  return { actor: { id, name: null, kind }, roles: new Set(roles), assurance: 'CREDENTIAL' };
}

const inJournal = {
  ensure: async (tables: readonly unknown[]) => tables.map(() => '00000000-0000-4000-8000-000000000000'),
  rowsAfter: async function* () {},
  flush: () => Promise.reject(new Error('This ledger keeps its rows in the journal.')),
  tidy: async () => false,
};
