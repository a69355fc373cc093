import { IcecoreError } from '../errors.ts';

/** The place of a row in a snapshot: after this one goes the next page. */
export interface RowCursor {
  readonly snapshotId: bigint;
  /** The columns of the first page, which the later ones keep. */
  readonly schemaId: number;
  readonly dataSequenceNumber: bigint;
  readonly filePath: string;
  /** Position in the file, from 0. */
  readonly row: bigint;
}

/** Opaque to callers. */
export function printRowCursor(cursor: RowCursor): string {
  const { snapshotId, schemaId, dataSequenceNumber, filePath, row } = cursor;
  return Buffer.from(JSON.stringify([String(snapshotId), schemaId, String(dataSequenceNumber), filePath, String(row)])).toString(
    'base64url',
  );
}

/** Throws BAD_USER_INPUT where the text is no such cursor. */
export function parseRowCursor(text: string): RowCursor {
  try {
    const [snapshotId, schemaId, dataSequenceNumber, filePath, row]: unknown[] = JSON.parse(
      Buffer.from(text, 'base64url').toString('utf8'),
    );
    if (typeof schemaId === 'number' && typeof filePath === 'string') {
      return {
        snapshotId: BigInt(String(snapshotId)),
        schemaId,
        dataSequenceNumber: BigInt(String(dataSequenceNumber)),
        filePath,
        row: BigInt(String(row)),
      };
    }
  } catch {
    // Falls through to the one error below.
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `"${text.slice(0, 80)}" is no cursor of rows; take it from \`endCursor\` of the page before.`,
  );
}
