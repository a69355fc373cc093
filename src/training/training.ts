import type { Call, Page } from '../access/call.ts';
import { hasRole, requireRole } from '../access/role.ts';
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

/** Training sets: made, found, made again. */
export class Training {
  readonly #options: TrainingOptions;
  readonly #engine: TrainingEngine;

  constructor(options: TrainingOptions) {
    this.#options = options;
    this.#engine = {
      ...options,
      featureSet: (name, version) => options.featureSets.require(name, version),
      newestVersion: async (name) => (await this.trainingSet(name))?.version ?? 0,
    };
    options.runs.register('createTrainingSet', {
      kind: 'TRAINING_SET',
      handler: (context) => createTrainingSet(this.#engine, context),
    });
    options.runs.register('reproduceTrainingSet', {
      kind: 'REPRODUCTION',
      handler: (context) => reproduceTrainingSet(this.#engine, context, (name, version) => this.require(name, version)),
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
    const [row] = await this.#options.ledger.select(trainingSetTable, {
      where: version === null ? { name } : { name, version },
      orderBy: 'version DESC',
      limit: 1,
    });
    return row === undefined ? null : trainingSetOf(row);
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
    return row === null ? null : trainingSetOf(row);
  }

  /** The newest version of each, in order of name. */
  async trainingSets(page: Page): Promise<readonly TrainingSet[]> {
    const rows = await this.#options.ledger.select(trainingSetTable, {
      sql: {
        text: 'name > ? AND version = (SELECT max(version) FROM "icecore.training_sets" AS other WHERE other.name = "icecore.training_sets".name)',
        args: [page.after ?? ''],
      },
      orderBy: 'name',
      limit: page.first,
    });
    return rows.map(trainingSetOf);
  }

  /** Versions that were computed from a table, or hold its rows, by name and version; `after` is the pair that the last page ended with. */
  async trainingSetsUsing(
    tableUuid: string,
    page: { readonly first: number; readonly after: { readonly name: string; readonly version: number } | null },
  ): Promise<readonly TrainingSet[]> {
    const rows = await this.#options.ledger.select(trainingSetTable, {
      sql: {
        text:
          "(name, version) > (?, ?) AND (data_table_uuid = ? OR json_extract(spine, '$.table_uuid') = ? OR EXISTS " +
          "(SELECT 1 FROM json_each(sources) WHERE json_extract(value, '$.table_uuid') = ?))",
        args: [page.after?.name ?? '', page.after?.version ?? 0, tableUuid, tableUuid, tableUuid],
      },
      orderBy: 'name, version',
      limit: page.first,
    });
    return rows.map(trainingSetOf);
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
