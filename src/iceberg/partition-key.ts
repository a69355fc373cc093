import type { DataFile } from './data-file.ts';
import type { Literal } from './type.ts';

/** A text that two files share where they lie in the same partition of the same spec. */
export function partitionKey({ specId, partition }: Pick<DataFile, 'specId' | 'partition'>): string {
  return JSON.stringify([specId, ...partition.map(literalKey)]);
}

/** Types are told apart by the spec: text and bytes, numbers and bigints never meet in one field. */
function literalKey(value: Literal | null): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}
