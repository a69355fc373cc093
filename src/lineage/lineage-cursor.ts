import { IcecoreError } from '../errors.ts';
import { sha256Hex } from '../ledger/canonical-json.ts';
import type { LineageDirection } from './lineage-graph.ts';
import { lineageKey } from './lineage-key.ts';
import type { LineageRef } from './lineage-record.ts';

/** Where a walk was cut off: the same walk, over the same edges, goes on after so many nodes. */
export interface LineageCursor {
  readonly offset: number;
  /** Edges through this place of the journal. */
  readonly seq: bigint;
  readonly asOfMicros: bigint;
}

/** What a walk must have in common with the one that gave the cursor. */
export function walkDigest(of: readonly LineageRef[], direction: LineageDirection, maxDepth: number): string {
  return sha256Hex(JSON.stringify([of.map(lineageKey), direction, maxDepth])).slice(0, 16);
}

export function printCursor({ offset, seq, asOfMicros }: LineageCursor, digest: string): string {
  return Buffer.from(JSON.stringify([offset, seq.toString(), asOfMicros.toString(), digest])).toString('base64url');
}

/** Throws BAD_USER_INPUT where it is none, or one of another walk. */
export function parseCursor(text: string, digest: string): LineageCursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(value) && Number.isSafeInteger(value[0]) && value[0] > 0 && value[3] === digest) {
      return { offset: Number(value[0]), seq: BigInt(String(value[1])), asOfMicros: BigInt(String(value[2])) };
    }
  } catch {
    // Falls through to the one error below.
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    'The cursor is not one of this lineage: give `after` the `frontierCursor` of an answer to the same `of`, `direction` and `maxDepth`.',
  );
}
