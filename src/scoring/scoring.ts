import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import { visiblePage } from '../access/visible-page.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pageRowsMax } from '../limits.ts';
import type { LineageEdge } from '../lineage/lineage-edge-table.ts';
import type { LineageState } from '../lineage/lineage-graph.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { OneWay } from '../lineage/lineage-walk.ts';
import { requireApproval } from '../models/approval.ts';
import type { ModelReader } from '../models/model-reader.ts';
import type { LineageDrafts, TrainingSource } from '../models/version-registration.ts';
import type { Run } from '../runs/run.ts';
import { runOf, runTable } from '../runs/run-table.ts';
import type { Runs } from '../runs/runs.ts';
import { startRun } from '../runs/start-run.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import type { Tables } from '../tables/tables.ts';
import { requireCreate } from '../tables/write-access.ts';
import type { AllowedOrigins } from './allowed-origins.ts';
import { type EndpointLimits, endpointLimits } from './call-endpoint.ts';
import { type Explanation, explainPrediction } from './explanation.ts';
import type { Prediction } from './prediction.ts';
import { type PredictionPage, type PredictionQuery, Predictions } from './predictions.ts';
import { checkPredictionsTable, predictionsIdentifier, predictionsTable } from './predictions-table.ts';
import { protocolOf } from './protocol-of.ts';
import { checkScoreBatch, type ScoreBatchInput, type ScoringRequest } from './score-batch-input.ts';
import { ScoringProgress } from './scoring-progress.ts';
import { cleanUp, requireEndpoint, runScoring, type ScoringRunOptions } from './scoring-run.ts';
import { type ScoringRunState, scoringRunState } from './scoring-run-state.ts';
import { sourceShape } from './scoring-source.ts';
import { stagedRuns } from './scoring-staging.ts';

export interface ScoringOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  readonly ledger: Ledger;
  readonly runs: Runs;
  readonly audit: Audit;
  readonly lineage: LineageDrafts;
  readonly clock: Clock;
  /** Where models are read. */
  readonly models: ModelReader;
  readonly training: TrainingSource;
  readonly origins: AllowedOrigins;
  /** PEM, of the server's key and former ones: whose approvals count. */
  readonly publicKeys: readonly string[];
  readonly limits?: Partial<EndpointLimits>;
}

const operation = 'scoreBatch';

/** Scoring by deployed models (semantics, section 4). */
export class Scoring {
  readonly #options: ScoringOptions;
  readonly #predictions: Predictions;
  readonly #running = new Map<string, ScoringProgress>();

  /** Registers the handler of its runs. */
  constructor(options: ScoringOptions) {
    this.#options = options;
    this.#predictions = new Predictions(options.tables, options.runs);
    const work: ScoringRunOptions = {
      ...options,
      read: options.models,
      limits: { ...endpointLimits, ...options.limits },
      isRunning: async (id) => (await options.tables.access.asServer(() => options.runs.get(id)))?.status === 'RUNNING',
    };
    options.runs.register(operation, {
      kind: 'SCORING',
      showsTo: async ({ input }) => {
        const { into, model, version } = input as ScoringRequest;
        if (!options.tables.access.mayRead(predictionsIdentifier(into))) return false;
        return (await options.models.version(model, version)) !== null;
      },
      handler: async (context) => {
        const progress = new ScoringProgress();
        this.#running.set(context.run.id, progress);
        try {
          await runScoring(work, context, progress);
        } finally {
          this.#running.delete(context.run.id);
        }
      },
    });
  }

  /**
   * Starts a scoring run and gives it back; an alias counts as it stands now. Throws FAILED_PRECONDITION where the version is not
   * approved, or is not what was approved; FORBIDDEN, NOT_FOUND, BAD_USER_INPUT, CONFLICT.
   */
  async scoreBatch(call: Call, input: ScoreBatchInput): Promise<Run> {
    requireRole(call.caller, 'scientist', 'score');
    checkScoreBatch(input);
    requireCreate(this.#options.tables.access, predictionsIdentifier(input.into), 'score into');
    return await startRun(this.#options, call, operation, () => this.#checked(input));
  }

  /** What a scoring run says besides what all runs say; live where this server works at it. */
  state(run: Run): ScoringRunState {
    return scoringRunState(run, this.#running.get(run.id));
  }

  /** The scoring runs of a model's version, newest first; `after` is the run that the page before ended with. */
  async runsOf(
    version: { readonly model: string; readonly version: number },
    page: { readonly first: number; readonly after: Pick<Run, 'id' | 'startedAtMicros'> | null },
  ): Promise<readonly Run[]> {
    const of = "json_extract(input, '$.model') = ? AND json_extract(input, '$.version') = ?";
    const { ledger, runs, tables } = this.#options;
    return await visiblePage(
      tables.access,
      page.first,
      async (last: Run | null, limit) => {
        const after = last ?? page.after;
        const rows = await ledger.select(runTable, {
          where: { operation },
          sql: {
            text: after === null ? of : `${of} AND (started_at, id) < (?, ?)`,
            args: [version.model, version.version, ...(after === null ? [] : [after.startedAtMicros, after.id])],
          },
          orderBy: 'started_at DESC, id DESC',
          limit,
        });
        return rows.map(runOf);
      },
      (found) => runs.visible(found),
    );
  }

  /** A page of predictions, newest first. Throws BAD_USER_INPUT for a table of others, an entity or a cursor that is none. */
  async predictions(query: PredictionQuery): Promise<PredictionPage> {
    return await this.#predictions.page(query);
  }

  /** Those of a version, over all the tables that it was scored into. */
  async predictionsOf(
    version: { readonly model: string; readonly version: number },
    query: Omit<PredictionQuery, 'tables' | 'model' | 'version'>,
  ): Promise<PredictionPage> {
    const runs = await this.runsOf(version, { first: pageRowsMax, after: null });
    const uuids = new Set(runs.flatMap((run) => run.outputs.map(({ tableUuid }) => tableUuid)));
    const tables = await Promise.all([...uuids].map((uuid) => this.#options.tables.findByUuid(uuid)));
    return await this.predictions({ ...query, ...version, tables: tables.filter((table) => table !== null) });
  }

  /** Null where the table or the row is gone, or the table is none of predictions. */
  async prediction(tableUuid: string, predictionId: string): Promise<Prediction | null> {
    return await this.#predictions.find(tableUuid, predictionId);
  }

  /** From a prediction back to what it rests on, derived again and compared. */
  async explanation(prediction: Prediction, signal?: AbortSignal): Promise<Explanation> {
    const { models, runs } = this.#options;
    const context = { ...this.#options, read: models, run: (id: string) => runs.get(id) };
    return await explainPrediction(context, prediction, signal);
  }

  /** For lineage: the runs that predictions come from. */
  async implied(refs: readonly LineageRef[], direction: OneWay): Promise<readonly LineageEdge[]> {
    return await this.#predictions.implied(refs, direction);
  }

  /** For lineage: what has become of predictions; PRESENT for what is none. */
  async states(refs: readonly LineageRef[]): Promise<readonly LineageState[]> {
    return await this.#predictions.states(refs);
  }

  /** Removes what runs that are over have left staged, such as one cancelled while its server was down. */
  async sweep(): Promise<void> {
    for (const id of await stagedRuns(this.#options.tables)) {
      if ((await this.#options.runs.get(id))?.status !== 'RUNNING') await cleanUp(this.#options, id);
    }
  }

  async #checked(input: ScoreBatchInput): Promise<ScoringRequest> {
    const { models, origins, tables, publicKeys } = this.#options;
    const { modelVersion, ...rest } = input;
    const version = await models.require(modelVersion.model, modelVersion.selector);
    await requireApproval(models, version, publicKeys);
    protocolOf(requireEndpoint(version, origins)).check(version.signature);
    const into = predictionsIdentifier(input.into);
    const shape = await sourceShape(this.#options, version, input.source);
    const definition = predictionsTable(shape.entityKeys, version.signature);
    const existing = await tables.find(into);
    if (existing !== null) checkPredictionsTable(printIdentifier(into), existing.metadata, definition);
    return { ...rest, model: version.model, version: version.version };
  }
}
