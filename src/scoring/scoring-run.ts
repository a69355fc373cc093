import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { requireApproval } from '../models/approval.ts';
import type { Assurance, ModelDecision, ModelEndpoint, ModelVersion } from '../models/model.ts';
import type { ModelReader } from '../models/model-reader.ts';
import type { LineageDrafts } from '../models/version-registration.ts';
import type { RunContext } from '../runs/run-handler.ts';
import type { AllowedOrigins } from './allowed-origins.ts';
import type { EndpointLimits } from './call-endpoint.ts';
import { commitPredictions, sourcesOf } from './commit-predictions.ts';
import { predictionsIdentifier, predictionsTable } from './predictions-table.ts';
import { recordedRequest } from './score-batch-input.ts';
import type { ScoringProgress } from './scoring-progress.ts';
import { type ScoringEngine, sourceShape, trainedFeatures } from './scoring-source.ts';
import { ScoringStaging } from './scoring-staging.ts';
import { refuseFailures, sendBatches } from './send-batches.ts';
import { holdSnapshots, releaseSnapshots, runHolds } from './snapshot-hold.ts';
import { stageInput } from './stage-input.ts';
import { loadAnswers } from './staged-answers.ts';

export interface ScoringRunOptions extends ScoringEngine {
  readonly read: ModelReader;
  readonly audit: Audit;
  readonly lineage: LineageDrafts;
  readonly clock: Clock;
  readonly origins: AllowedOrigins;
  readonly limits: EndpointLimits;
  /** PEM, of the keys that may have signed approvals. */
  readonly publicKeys: readonly string[];
  /** Whether a run is still to be worked at, by this server or another. */
  readonly isRunning: (runId: string) => Promise<boolean>;
}

/**
 * The work of one scoring run (semantics, section 4): rows staged once, answers staged batch by batch, all of it committed at the end.
 * What is staged outlives a crash, and goes when the run is over.
 */
export async function runScoring(options: ScoringRunOptions, context: RunContext, progress: ScoringProgress): Promise<void> {
  const staging = new ScoringStaging(options.tables, context.run.id);
  try {
    await stageScoreCommit(options, context, staging, progress);
  } catch (error) {
    // Another server, or this one after its restart, may go on with it: then what is staged is worth keeping.
    if (context.signal.aborted && (await options.isRunning(context.run.id))) throw error;
    await cleanUp(options, context.run.id, staging);
    throw error;
  }
  // The run has its end; what cannot be removed now is found by the next sweep.
  await staging.remove().catch(() => undefined);
}

async function stageScoreCommit(
  options: ScoringRunOptions,
  context: RunContext,
  staging: ScoringStaging,
  progress: ScoringProgress,
): Promise<void> {
  const request = recordedRequest(context.input);
  const version = await options.read.require(request.model, { number: request.version });
  await requireApproval(options.read, version, options.publicKeys);
  const endpoint = requireEndpoint(version, options.origins);
  const shape = await sourceShape(options, version, request.source);
  const definition = predictionsTable(shape.entityKeys, version.signature);
  const { signal } = context;
  const input =
    (await staging.input()) ??
    (await stageInput(options, staging, {
      version,
      source: request.source,
      shape,
      hold: (snapshots) => holdSnapshots(options.tables, runHolds(context.run.id, snapshots)),
      signal,
    }));
  const featureSet = 'spine' in request.source ? (await trainedFeatures(options, version)).featureSet : null;
  const local = await staging.openInput(input);
  try {
    await sendBatches(options, context, staging, progress, { request, version, endpoint, input, inputPath: local.path });
    // It may have been suspended meanwhile.
    const approval = await requireApproval(
      options.read,
      await options.read.require(request.model, { number: request.version }),
      options.publicKeys,
    );
    await options.duckdb.trusted.use(async (connection) => {
      const batchCount = Math.ceil(input.rowCount / request.batchSize);
      const answers = await loadAnswers(connection, staging, batchCount, version.signature, signal);
      refuseFailures(request, input.rowCount, answers.rowsFailed, true);
      await commitPredictions(connection, {
        ...options,
        context,
        version,
        assurance: assuranceOf(context, approval),
        source: request.source,
        shape,
        featureSet,
        into: predictionsIdentifier(request.into),
        definition,
        input,
        inputPath: local.path,
        answers,
        rowsPerSecond: progress.rowsPerSecond(),
        holds: runHolds(context.run.id, sourcesOf(input)),
      });
    }, signal);
  } finally {
    local.release();
  }
}

/** Throws FAILED_PRECONDITION where the version is served nowhere, FORBIDDEN where its endpoint may not be called. */
export function requireEndpoint(version: ModelVersion, origins: AllowedOrigins): ModelEndpoint {
  if (version.endpoint === null) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `Version ${version.version} of model "${version.model}" has no endpoint: register a version with the address where it is served.`,
    );
  }
  origins.check(version.endpoint);
  return version.endpoint;
}

function assuranceOf(context: RunContext, approval: ModelDecision): Assurance {
  return context.caller.assurance === 'LOCAL' || approval.assurance === 'LOCAL' ? 'LOCAL' : 'CREDENTIAL';
}

/** Removes what a run that is over without an outcome has left: its staged files and the snapshots it held. */
export async function cleanUp(
  options: Pick<ScoringRunOptions, 'tables'>,
  runId: string,
  staging = new ScoringStaging(options.tables, runId),
): Promise<void> {
  try {
    // The server's own work: whoever asked may have lost the grant by which the run held them.
    await options.tables.access.asServer(async () => {
      const input = await staging.input();
      if (input !== null) await releaseSnapshots(options.tables, runHolds(runId, sourcesOf(input)));
      await staging.remove();
    });
  } catch (error) {
    process.emitWarning(`What scoring run ${runId} had staged could not be removed yet: ${String(error)}`);
  }
}
