import type { Call } from '../access/call.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { once } from '../ledger/once.ts';
import type { Run } from './run.ts';
import type { Runs } from './runs.ts';

/**
 * Starts a run once for each idempotency key; a repetition gives the first one back, as it stands now. `prepare` gives the input that the
 * run records, and refuses what cannot be done.
 */
export async function startRun(
  { catalog, clock, runs }: { readonly catalog: Catalog; readonly clock: Clock; readonly runs: Runs },
  call: Call,
  operation: string,
  prepare: () => Promise<unknown>,
): Promise<Run> {
  let started: Run | null = null;
  const keyed = { caller: call.caller, mutation: operation, key: call.key, input: call.input };
  const { runId } = await once({ catalog, clock }, keyed, async (claim) => {
    const input = await prepare();
    started = await runs.start({ caller: call.caller, operation, input, idempotency: (id) => claim({ runId: id }) });
    return { runId: started.id };
  });
  const run = started ?? (await runs.get(runId));
  if (run === null) throw new IcecoreError('INTERNAL', `The run ${runId} that was started is not recorded.`);
  return run;
}
