import type { Call, Page } from '../access/call.ts';
import { hasRole, requireRole } from '../access/role.ts';
import { visiblePage } from '../access/visible-page.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { checkSetName, type FeatureSets } from '../features/feature-sets.ts';
import type { FeatureVectors } from '../features/feature-table.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { Run } from '../runs/run.ts';
import type { Runs } from '../runs/runs.ts';
import { startRun } from '../runs/start-run.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { ofReadable } from '../tables/readable.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate } from '../tables/write-access.ts';
import { withSplit } from './build-training-set.ts';
import { createTrainingSet } from './create-training-set.ts';
import { resolveFeaturePins, type TableAsOf } from './feature-pins.ts';
import { featureVectors } from './feature-vectors.ts';
import type { NewTrainingSet } from './new-training-set.ts';
import { checkJoin } from './point-in-time-join.ts';
import { reproduceTrainingSet } from './reproduce-training-set.ts';
import { checkSpine } from './spine-source.ts';
import type { TrainingEngine } from './training-engine.ts';
import type { PointInTimeOptions, TrainingSet } from './training-set.ts';
import { trainingSetOf, trainingSetTable } from './training-set-table.ts';
import { dataTable, refuseTakenTables, spineTable } from './training-tables.ts';

export interface TrainingOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly runs: Runs;
  readonly clock: Clock;
  readonly featureSets: FeatureSets;
}

export interface FeatureVectorsInput {
  readonly featureSet: string;
  /** The newest where left out. */
  readonly version?: number | null;
  readonly entities: readonly unknown[];
  /** Now where left out. */
  readonly atMicros?: bigint | null;
  readonly pins?: readonly TableAsOf[] | null;
  readonly options: PointInTimeOptions;
}

/** Training sets: made, found, made again. One shows to whoever may read its rows and its spine. */
export class Training {
  readonly #options: TrainingOptions;
  readonly #engine: TrainingEngine;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#engine = {
      ...options,
      featureSet: (name, version) => options.featureSets.require(name, version),
      // Of all versions, whoever sees them: a number is never used twice.
      newestVersion: async (name) => (await options.tables.access.asServer(() => this.trainingSet(name)))?.version ?? 0,
    };
    options.runs.register('createTrainingSet', {
      kind: 'TRAINING_SET',
      handler: (context) => createTrainingSet(this.#engine, context),
      showsTo: async ({ input }) => options.tables.access.mayRead(dataTable((input as NewTrainingSet).name)),
    });
    options.runs.register('reproduceTrainingSet', {
      kind: 'REPRODUCTION',
      handler: (context) => reproduceTrainingSet(this.#engine, context, (name, version) => this.require(name, version)),
      showsTo: async ({ input }) => {
        const { name, version } = input as { readonly name: string; readonly version: number };
        return (await this.trainingSet(name, version)) !== null;
      },
    });
  }

  /**
   * Starts the run that makes the next version of a training set. What can be seen to be wrong without reading data is refused at once:
   * throws BAD_USER_INPUT, NOT_FOUND, ALREADY_EXISTS, FORBIDDEN. The run's result holds `name`, `version`, `digest`, `rowCount`.
   */
  async createTrainingSet(call: Call, input: NewTrainingSet): Promise<Run> {
    requireRole(call.caller, 'scientist', 'create training sets');
    checkSetName(input.name, 'A training set');
    for (const table of [dataTable(input.name), spineTable(input.name)]) {
      requireCreate(this.#options.tables.access, table, 'make a training set, which is kept in');
    }
    return await startRun(this.#options, call, 'createTrainingSet', async () => {
      await this.#check(input);
      return input;
    });
  }

  /** Starts the run that makes a version again from its pins and compares; its result is a `Reproduction`. Throws NOT_FOUND, FORBIDDEN. */
  async reproduceTrainingSet(call: Call, input: { readonly name: string; readonly version: number }): Promise<Run> {
    // It changes nothing, and whoever has to answer for a model may want to see it.
    if (!hasRole(call.caller, 'approver')) requireRole(call.caller, 'scientist', 'reproduce training sets');
    return await startRun(this.#options, call, 'reproduceTrainingSet', async () => {
      const { name, version } = await this.require(input.name, input.version);
      return { name, version };
    });
  }

  /** The newest version where none is asked for; null where there is none. */
  async trainingSet(name: string, version: number | null = null): Promise<TrainingSet | null> {
    const [newest] = await visiblePage(
      this.#options.tables.access,
      1,
      async (after: TrainingSet | null, limit) => {
        const rows = await this.#options.ledger.select(trainingSetTable, {
          where: version === null ? { name } : { name, version },
          ...(after === null ? {} : { sql: { text: 'version < ?', args: [after.version] } }),
          orderBy: 'version DESC',
          limit,
        });
        return rows.map(trainingSetOf);
      },
      (sets) => this.#visible(sets),
    );
    return newest ?? null;
  }

  /** As `trainingSet`; throws NOT_FOUND. */
  async require(name: string, version: number | null = null): Promise<TrainingSet> {
    const set = await this.trainingSet(name, version);
    if (set !== null) return set;
    const what = version === null ? `training set "${name}"` : `version ${version} of a training set "${name}"`;
    throw new IcecoreError('NOT_FOUND', `There is no ${what}. Make it with createTrainingSet.`, {
      context: { trainingSet: name, version },
    });
  }

  /** The version whose rows are this snapshot; null where there is none. */
  async trainingSetAt(name: string, snapshotId: bigint): Promise<TrainingSet | null> {
    const row = await this.#options.ledger.find(trainingSetTable, { name, data_snapshot_id: snapshotId });
    const [visible] = row === null ? [] : await this.#visible([trainingSetOf(row)]);
    return visible ?? null;
  }

  /** The newest version of each, in order of name. */
  async trainingSets(page: Page): Promise<readonly TrainingSet[]> {
    return await visiblePage(
      this.#options.tables.access,
      page.first,
      async (last: TrainingSet | null, limit) => {
        const rows = await this.#options.ledger.select(trainingSetTable, {
          sql: {
            text: 'name > ? AND version = (SELECT max(version) FROM "icecore.training_sets" AS other WHERE other.name = "icecore.training_sets".name)',
            args: [last?.name ?? page.after ?? ''],
          },
          orderBy: 'name',
          limit,
        });
        return rows.map(trainingSetOf);
      },
      (sets) => this.#visible(sets),
    );
  }

  /** A version of a feature set; null where there is none. */
  async featureSet(name: string, version: number): Promise<FeatureSet | null> {
    return await this.#options.featureSets.featureSet(name, version);
  }

  /** The features of entities at one moment, in their order. Throws BAD_USER_INPUT, NOT_FOUND, FAILED_PRECONDITION where rows tie. */
  async featureVectors(input: FeatureVectorsInput, signal?: AbortSignal): Promise<FeatureVectors> {
    const featureSet = await this.#options.featureSets.require(input.featureSet, input.version ?? null);
    const request = {
      featureSet,
      entities: input.entities,
      atMicros: input.atMicros ?? this.#options.clock.nowMicros(),
      pins: input.pins ?? [],
      options: input.options,
    };
    return await featureVectors(this.#options, request, signal);
  }

  #visible(sets: readonly TrainingSet[]): Promise<readonly TrainingSet[]> {
    return ofReadable(this.#options.tables, sets, ({ data, spine }) => [data, spine]);
  }

  /** What the run would find out too, but after a while. */
  async #check(input: NewTrainingSet): Promise<void> {
    const featureSet = await this.#options.featureSets.require(input.featureSet, input.featureSetVersion);
    const pins = await resolveFeaturePins(this.#options.tables, featureSet, input.pins);
    const columns = await checkSpine(this.#options, input.spine);
    const eventTime = columns.find(({ column }) => column === input.spine.eventTime);
    if (eventTime === undefined) return;
    const spine = { relation: '', eventTime, columns, labels: input.spine.labels };
    withSplit(checkJoin({ featureSet, pins, spine, options: input.options }), spine, input.split);
    await refuseTakenTables(this.#engine, input.name);
  }
}
