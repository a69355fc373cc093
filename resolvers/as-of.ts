import type { AsOf } from '../src/tables/table.ts';
import type { Given } from './input.ts';

/** Contract: `AsOf`; exactly one member is set. */
export interface AsOfInput {
  readonly snapshotId?: Given<bigint>;
  readonly timestamp?: Given<bigint>;
  readonly ref?: Given<string>;
}

export interface TableRefInput {
  readonly name: string;
  readonly asOf?: Given<AsOfInput>;
}

/** The point of an input; undefined for the table as it is now. */
export function asOfOf(input: Given<AsOfInput>): AsOf | undefined {
  if (input?.snapshotId != null) return { snapshotId: input.snapshotId };
  if (input?.timestamp != null) return { timestampMicros: input.timestamp };
  if (input?.ref != null) return { ref: input.ref };
  return undefined;
}

/** For options whose members may be left out but not undefined. */
export function atPoint(input: Given<AsOfInput>): { readonly asOf?: AsOf } {
  const asOf = asOfOf(input);
  return asOf === undefined ? {} : { asOf };
}
