import { IcecoreError } from '../src/errors.ts';
import { once } from '../src/ledger/once.ts';
import { parseNodeId } from '../src/node-id.ts';
import type { Run, RunKind, RunStatus } from '../src/runs/run.ts';
import type { Prediction } from '../src/scoring/prediction.ts';
import type { Reproduction } from '../src/training/reproduce-training-set.ts';
import { afterKey, type Connection, connectionOf, type PageArgs, pageSize } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { loadModelVersions, loadTrainingSets, shownKey } from './loading.ts';
import { mutate } from './mutation.ts';
import { predictionsOf } from './predictions.ts';
import { runKey, runPlaceOf } from './run-place.ts';
import { type VersionedName, versionKey } from './version-key.ts';

/** The key of what it made; null until it has. */
export function trainingSetRunTrainingSet(run: Run): string | null {
  const result = run.result as VersionedName | null;
  return result === null ? null : versionKey(result);
}

export function reproductionRunTrainingSet(run: Run, _args: object, context: ApiContext): Promise<string> {
  return shownKey(versionKey(run.input as VersionedName), loadTrainingSets, 'The training set', context);
}

function reproductionOf(run: Run): Reproduction | null {
  return run.result as Reproduction | null;
}

export function reproductionRunVerdict(run: Run): Reproduction['verdict'] | null {
  return reproductionOf(run)?.verdict ?? null;
}

export async function reproductionRunExpectedDigest(run: Run, _args: object, { icecore }: ApiContext): Promise<string> {
  const { name, version } = run.input as VersionedName;
  return reproductionOf(run)?.expectedDigest ?? (await icecore.training.require(name, version)).digest;
}

export function reproductionRunActualDigest(run: Run): string | null {
  return reproductionOf(run)?.actualDigest ?? null;
}

/** Found for who asked for it, they may name any table that those may read. */
export function reproductionRunDifferences(run: Run, _args: object, { icecore, caller }: ApiContext): readonly string[] {
  const differences = reproductionOf(run)?.differences ?? [];
  if (differences.length === 0 || run.by.id === caller.actor.id || icecore.access.mayReadAll()) return differences;
  return ['What differs is told to who started the run.'];
}

export function scoringRunModelVersion(run: Run, _args: object, context: ApiContext): Promise<string> {
  const { model, version } = context.icecore.scoring.state(run);
  return shownKey(versionKey({ name: model, version }), loadModelVersions, 'The model version', context);
}

export function scoringRunModelIdentity(run: Run, _args: object, { icecore }: ApiContext): 'REPORTED' | 'ASSERTED' | null {
  return icecore.scoring.state(run).modelIdentity;
}

export function scoringRunPredictionsTable(run: Run, _args: object, { icecore }: ApiContext): string {
  return icecore.scoring.state(run).predictionsTable;
}

export function scoringRunRowsFailed(run: Run, _args: object, { icecore }: ApiContext): bigint {
  return icecore.scoring.state(run).rowsFailed;
}

export function scoringRunRowsPerSecond(run: Run, _args: object, { icecore }: ApiContext): number | null {
  return icecore.scoring.state(run).rowsPerSecond;
}

export function scoringRunPredictions(run: Run, args: PageArgs, context: ApiContext): Promise<Connection<Prediction>> {
  // Until it has committed there are none, and perhaps no table.
  if (run.outputs.length === 0) {
    return Promise.resolve(connectionOf([], 0, { key: () => '', node: (none) => none, hasPreviousPage: args.after != null }));
  }
  return predictionsOf({ table: context.icecore.scoring.state(run).predictionsTable, runId: run.id }, args, context);
}

export function run({ id }: { readonly id: string }, { icecore }: ApiContext): Promise<Run | null> {
  return icecore.runs.get(runIdOf(id));
}

/** A global id, or the plain one that logs and tables show. */
function runIdOf(text: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(text)) return text.toLowerCase();
  const { kind, parts } = parseNodeId(text);
  if (kind === 'Run') return parts[0] ?? '';
  throw new IcecoreError('BAD_USER_INPUT', `This is the id of a ${kind}, not of a run.`);
}

export async function runs(
  args: PageArgs & { readonly kind?: Given<RunKind>; readonly status?: Given<RunStatus> },
  { icecore }: ApiContext,
): Promise<Connection<Run>> {
  const size = pageSize(args);
  const after = runPlaceOf(afterKey(args));
  const found = await icecore.runs.list({ kind: args.kind ?? null, status: args.status ?? null, first: size, after });
  const page = connectionOf(found.runs, size, { key: runKey, node: (each: Run) => each, hasPreviousPage: after !== null });
  return { ...page, pageInfo: { ...page.pageInfo, hasNextPage: found.hasNextPage } };
}

export function cancelRun(
  input: { readonly idempotencyKey?: Given<string>; readonly id: string },
  context: ApiContext,
): Promise<{ readonly run: Run }> {
  const { icecore } = context;
  const id = runIdOf(input.id);
  return mutate(context, 'cancelRun', input, async ({ caller, ...call }) => {
    await once(icecore, { caller, mutation: 'cancelRun', ...call }, async (claim) => {
      await icecore.runs.cancel(id, caller, claim({ id }));
      return { id };
    });
    return { run: await icecore.runs.ended(id, context.signal) };
  });
}

export async function* runProgress({ id }: { readonly id: string }, { icecore, signal }: ApiContext): AsyncGenerator<Run> {
  yield* icecore.runs.watch(runIdOf(id), signal);
}
