import { IcecoreError } from '../src/errors.ts';
import { parseIdentifier } from '../src/iceberg/identifier.ts';
import { parseNodeId, printNodeId } from '../src/node-id.ts';
import type { Run } from '../src/runs/run.ts';
import type { Prediction } from '../src/scoring/prediction.ts';
import type { TableRefInput } from './as-of.ts';
import { auditTrail } from './audit.ts';
import { type Connection, type PageArgs, pageSize } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { loadModelVersions, loadRuns, shownKey } from './loading.ts';
import { mutate } from './mutation.ts';
import { type SpineInput, spineOf, tableAsOf } from './point-in-time.ts';
import { versionKey } from './version-key.ts';
import type { PredictionExplanationView } from './views.ts';

export interface PredictionFilter {
  /** By name; every table that the version was scored into where left out. */
  readonly table?: string | null;
  readonly entity?: unknown;
  readonly model?: string | null;
  readonly version?: number | null;
  readonly runId?: string | null;
  readonly asOfFromMicros?: bigint | null;
  readonly asOfToMicros?: bigint | null;
}

/** Newest first. */
export async function predictionsOf(
  { table, ...filter }: PredictionFilter,
  args: PageArgs,
  { icecore, signal }: ApiContext,
): Promise<Connection<Prediction>> {
  const { model, version } = filter;
  const query = { ...filter, first: pageSize(args), after: args.after, signal };
  const page =
    table == null && model != null && version != null
      ? await icecore.scoring.predictionsOf({ model, version }, query)
      : await icecore.scoring.predictions({ ...query, tables: [await icecore.tables.load(parseIdentifier(table ?? ''))] });
  const edges = page.edges.map(({ cursor, prediction }) => ({ cursor, node: prediction }));
  return {
    edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: args.after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: null,
  };
}

export function predictionModelVersion({ model, version }: Prediction, _args: object, context: ApiContext): Promise<string> {
  return shownKey(versionKey({ name: model, version }), loadModelVersions, 'The model version of the prediction', context);
}

export function predictionRun({ runId }: Prediction, _args: object, context: ApiContext): Promise<string> {
  return shownKey(runId, loadRuns, 'The run of the prediction', context);
}

export async function predictionExplanation(
  prediction: Prediction,
  _args: object,
  context: ApiContext,
): Promise<PredictionExplanationView> {
  const explanation = await context.icecore.scoring.explanation(prediction, context.signal);
  const of = printNodeId('Prediction', prediction.tableUuid, prediction.predictionId);
  return { ...explanation, trail: await auditTrail({ of }, context) };
}

export function predictionExplanationModelVersion(
  { model, version }: PredictionExplanationView,
  _args: object,
  context: ApiContext,
): Promise<string> {
  return shownKey(versionKey({ name: model, version }), loadModelVersions, 'The model version of the prediction', context);
}

export function predictionExplanationTrainingSet({ trainingSet }: PredictionExplanationView): string | null {
  return trainingSet === null ? null : versionKey(trainingSet);
}

interface PredictionsArgs extends PageArgs {
  readonly table: string;
  readonly entity?: unknown;
  readonly model?: Given<string>;
  readonly version?: Given<number>;
  readonly run?: Given<string>;
  readonly asOfFrom?: Given<bigint>;
  readonly asOfTo?: Given<bigint>;
}

export function predictions(args: PredictionsArgs, context: ApiContext): Promise<Connection<Prediction>> {
  const filter = {
    table: args.table,
    entity: args.entity,
    model: args.model ?? null,
    version: args.version ?? null,
    runId: args.run == null ? null : runPart(args.run),
    asOfFromMicros: args.asOfFrom ?? null,
    asOfToMicros: args.asOfTo ?? null,
  };
  return predictionsOf(filter, args, context);
}

function runPart(text: string): string {
  const { kind, parts } = parseNodeId(text);
  if (kind === 'Run') return parts[0] ?? '';
  throw new IcecoreError('BAD_USER_INPUT', `This is the id of a ${kind}, not of a run.`);
}

export function prediction(
  args: { readonly table: string; readonly predictionId: string },
  context: ApiContext,
): Promise<Prediction | null> {
  return predictionOf({ name: args.table }, args.predictionId, context);
}

/** Null where there is no such table or row. */
export async function predictionOf(
  table: { readonly name: string } | { readonly tableUuid: string },
  predictionId: string,
  { icecore }: ApiContext,
): Promise<Prediction | null> {
  if ('tableUuid' in table) return await icecore.scoring.prediction(table.tableUuid, predictionId);
  const named = await icecore.tables.find(parseIdentifier(table.name));
  return named === null ? null : await icecore.scoring.prediction(named.uuid, predictionId);
}

interface ScoreBatchInput {
  readonly idempotencyKey?: Given<string>;
  readonly modelVersion: {
    readonly model: string;
    readonly selector: { readonly number?: Given<number>; readonly alias?: Given<string> };
  };
  readonly source: {
    readonly spine?: Given<SpineInput>;
    readonly table?: Given<{ readonly table: TableRefInput; readonly entityKeys: readonly string[]; readonly asOf: string }>;
  };
  readonly into: string;
  readonly batchSize?: Given<number>;
  readonly concurrency?: Given<number>;
  readonly maxFailedShare?: Given<number>;
}

export function scoreBatch(input: ScoreBatchInput, context: ApiContext): Promise<{ readonly run: Run }> {
  const { number, alias } = input.modelVersion.selector;
  return mutate(context, 'scoreBatch', input, async (call) => ({
    run: await context.icecore.scoring.scoreBatch(call, {
      modelVersion: { model: input.modelVersion.model, selector: { number: number ?? null, alias: alias ?? null } },
      source: scoringSource(input.source),
      into: input.into,
      batchSize: input.batchSize ?? 1024,
      concurrency: input.concurrency ?? 4,
      maxFailedShare: input.maxFailedShare ?? 0,
    }),
  }));
}

function scoringSource({ spine, table }: ScoreBatchInput['source']) {
  if (table != null) return { table: { ...table, table: tableAsOf(table.table) } };
  if (spine != null) return { spine: spineOf(spine) };
  throw new IcecoreError('BAD_USER_INPUT', 'Scoring needs a source: a spine, or a table.');
}
