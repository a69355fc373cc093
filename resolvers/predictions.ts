import { IcecoreError } from '../src/errors.ts';
import { parseNodeId } from '../src/node-id.ts';
import type { Run } from '../src/runs/run.ts';
import type { Prediction } from '../src/scoring/prediction.ts';
import type { TableRefInput } from './as-of.ts';
import type { Connection, PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { mutate } from './mutation.ts';
import { notBuilt } from './not-built.ts';
import { type SpineInput, spineOf, tableAsOf } from './point-in-time.ts';
import { versionKey } from './version-key.ts';
import type { PredictionExplanationView } from './views.ts';

export interface PredictionFilter {
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
  _filter: PredictionFilter,
  _args: PageArgs,
  _context: ApiContext,
): Promise<Connection<Prediction>> {
  return notBuilt('Listing predictions');
}

export function predictionModelVersion({ model, version }: Prediction): string {
  return versionKey({ name: model, version });
}

export function predictionRun({ runId }: Prediction): string {
  return runId;
}

export async function predictionExplanation(
  _prediction: Prediction,
  _args: object,
  _context: ApiContext,
): Promise<PredictionExplanationView> {
  return notBuilt('Explaining predictions');
}

export function predictionExplanationModelVersion({ model, version }: PredictionExplanationView): string {
  return versionKey({ name: model, version });
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

export async function predictionOf(
  _table: { readonly name: string } | { readonly tableUuid: string },
  _predictionId: string,
  _context: ApiContext,
): Promise<Prediction | null> {
  return notBuilt('Reading a prediction');
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
