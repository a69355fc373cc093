import type { SelectAnswer, SqlEngine } from '../src/lakehouse/selects.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import type { SqlBatchView } from './views.ts';

interface SqlArgs {
  readonly statement: string;
  readonly parameters?: Given<readonly unknown[]>;
  readonly engine?: Given<SqlEngine>;
}

export function sql(
  args: SqlArgs & { readonly maxRows?: Given<number> },
  { icecore, signal }: ApiContext,
): Promise<SelectAnswer> {
  return icecore.selects.run(requestOf(args), args.maxRows ?? 1000, signal);
}

export async function* sqlBatches(args: SqlArgs, { icecore, signal }: ApiContext): AsyncGenerator<SqlBatchView> {
  for await (const { recordBatch, last, snapshots } of icecore.selects.batches(requestOf(args), signal)) {
    yield { recordBatch, metadata: new Map([['icecore.last', String(last)]]), rowCount: recordBatch.numRows, last, snapshots };
  }
}

function requestOf({ statement, parameters, engine }: SqlArgs) {
  return { statement, parameters: parameters ?? [], engine: engine ?? 'EMBEDDED' };
}
