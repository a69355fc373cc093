import { printJsonValue } from '../../iceberg/json-value.ts';
import { isPrimitive, type Literal, type NestedField } from '../../iceberg/type.ts';
import { uuidText } from '../../iceberg/uuid.ts';
import type { FeedFile, FeedGroup } from '../groups/feed-groups.ts';
import type { OpenedGroups } from '../groups/opened-groups.ts';
import { SkippedRows } from '../groups/skipped-rows.ts';

/** A data file as a reader needs it that opens it by itself (contract, `TrainingFile`). */
export interface PlannedFile {
  readonly path: string;
  /** All of its row groups, in order. */
  readonly rowGroups: readonly FeedGroup[];
  /** Positions in the file as a 64-bit roaring bitmap in the portable format; null where all rows are live and match. */
  readonly skippedRows: Uint8Array | null;
  /** Of the wanted columns that it has, in their order. */
  readonly fieldIds: readonly number[];
  /** By name, the value of each wanted column that it lacks: in the contract's JSON forms, but for bigints and bytes, which are as they are. */
  readonly constants: Readonly<Record<string, unknown>>;
}

/** A file of opened groups, by its place among them. */
export async function plannedFile(groups: OpenedGroups, index: number, signal?: AbortSignal): Promise<PlannedFile> {
  const file = groups.file(index);
  const { first, count } = groups.files[index] as FeedFile;
  const rowGroups = Array.from({ length: count }, (_, ordinal) => groups.group(first + ordinal));
  const missing = new Set(file.columns.missing);
  return {
    path: file.task.file.filePath,
    rowGroups,
    skippedRows: await skippedRows(groups, rowGroups, signal),
    fieldIds: groups.columns.filter((field) => !missing.has(field)).map(({ id }) => id),
    constants: Object.fromEntries(file.columns.missing.map((field) => [field.name, constantJson(field, file.constants)])),
  };
}

async function skippedRows(
  groups: OpenedGroups,
  rowGroups: readonly FeedGroup[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array | null> {
  const skipped = new SkippedRows();
  for (const { place, firstRow, rowCount, matchingRows } of rowGroups) {
    if (matchingRows === 0) skipped.addAll(firstRow, rowCount);
    else if (matchingRows < rowCount) skipped.addUnset(firstRow, rowCount, await groups.bits(place, signal));
  }
  return skipped.encode();
}

function constantJson({ id, type }: NestedField, constants: ReadonlyMap<number, Literal>): unknown {
  const value = constants.get(id);
  if (value === undefined || !isPrimitive(type)) return null;
  if (value instanceof Uint8Array) return type === 'uuid' ? uuidText(value) : value;
  // JSON has no NaN; a partition may.
  return typeof value === 'number' && !Number.isFinite(value) ? value : printJsonValue(type, value);
}
