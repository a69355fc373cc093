import { IcecoreError } from '../errors.ts';

/** The place after which a page of predictions goes on, and the snapshot of each table that all pages are read at. */
export interface PredictionCursor {
  /** Snapshot ids by table uuid. */
  readonly snapshots: Readonly<Record<string, bigint>>;
  readonly asOfMicros: bigint;
  readonly predictionId: string;
}

/** Opaque to callers. */
export function printPredictionCursor({ snapshots, asOfMicros, predictionId }: PredictionCursor): string {
  const at = Object.entries(snapshots).map(([uuid, snapshotId]) => [uuid, snapshotId.toString()]);
  return Buffer.from(JSON.stringify([at, asOfMicros.toString(), predictionId])).toString('base64url');
}

/** Throws BAD_USER_INPUT where the text is no such cursor. */
export function parsePredictionCursor(text: string): PredictionCursor {
  try {
    const [at, asOfMicros, predictionId]: unknown[] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(at) && typeof asOfMicros === 'string' && typeof predictionId === 'string') {
      const snapshots = at.map(([uuid, id]: unknown[]) => [String(uuid), BigInt(String(id))] as const);
      return { snapshots: Object.fromEntries(snapshots), asOfMicros: BigInt(asOfMicros), predictionId };
    }
  } catch {
    // Falls through to the one error below.
  }
  throw new IcecoreError('BAD_USER_INPUT', `"${text.slice(0, 80)}" is no cursor of predictions; take it from the page before.`);
}
