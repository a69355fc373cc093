import type { Literal, NestedField } from '../../iceberg/type.ts';
import type { FeedGroup } from './feed-groups.ts';
import { fieldKey } from './feed-matches-key.ts';

/** What a block file holds. */
export interface BlockContent {
  readonly group: FeedGroup;
  readonly columns: readonly NestedField[];
  /** Of columns that the file lacks, by field id. */
  readonly constants: ReadonlyMap<number, Literal>;
  /** Of the bits of its matching rows; null where all match. */
  readonly digest: string | null;
  /** By which names columns are found in files without field ids, where that matters. */
  readonly mapping: string | null;
}

/** What decides about every byte of a block file, as text. Neither the snapshot nor what columns are called is in it. */
export function blockKeyText({ group, columns, constants, digest, mapping }: BlockContent): string {
  const { location, fileSizeBytes, ordinal } = group;
  const fields = columns.map((field) => [...fieldKey(field), constantKey(constants.get(field.id))]);
  return JSON.stringify(['block/1', location, fileSizeBytes, ordinal, digest ?? 'all', fields, mapping]);
}

function constantKey(value: Literal | undefined): unknown {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  return [typeof value, Object.is(value, -0) ? '-0' : String(value)];
}
