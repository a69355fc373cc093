import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import type { Call } from '../features/call.ts';
import { startRun } from '../features/start-run.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { requireApproval } from '../models/approval.ts';
import type { ModelReader } from '../models/model-reader.ts';
import type { LineageDrafts, TrainingSource } from '../models/version-registration.ts';
import type { Run } from '../runs/run.ts';
import { runOf, runTable } from '../runs/run-table.ts';
import type { Runs } from '../runs/runs.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import type { Tables } from '../tables/tables.ts';
import type { AllowedOrigins } from './allowed-origins.ts';
import { type EndpointLimits, endpointLimits } from './call-endpoint.ts';
import { checkPredictionsTable, predictionsIdentifier, predictionsTable } from './predictions-table.ts';
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
  readonly #running = new Map<string, ScoringProgress>();

  /** Registers the handler of its runs. */
  constructor(options: ScoringOptions) {
    this.#options = options;
    const work: ScoringRunOptions = {
      ...options,
      read: options.models,
      limits: { ...endpointLimits, ...options.limits },
      isRunning: async (id) => (await options.runs.get(id))?.status === 'RUNNING',
    };
    options.runs.register(operation, {
      kind: 'SCORING',
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
    const { after } = page;
    const of = "json_extract(input, '$.model') = ? AND json_extract(input, '$.version') = ?";
    const rows = await this.#options.ledger.select(runTable, {
      where: { operation },
      sql: {
        text: after === null ? of : `${of} AND (started_at, id) < (?, ?)`,
        args: [version.model, version.version, ...(after === null ? [] : [after.startedAtMicros, after.id])],
      },
      orderBy: 'started_at DESC, id DESC',
      limit: page.first,
    });
    return rows.map(runOf);
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
    requireEndpoint(version, origins);
    const into = predictionsIdentifier(input.into);
    const shape = await sourceShape(this.#options, version, input.source);
    const definition = predictionsTable(shape.entityKeys, version.signature);
    const existing = await tables.find(into);
    if (existing !== null) checkPredictionsTable(printIdentifier(into), existing.metadata, definition);
    return { ...rest, model: version.model, version: version.version };
  }
}
