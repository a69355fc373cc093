import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { MetricsMode } from '../iceberg/metrics-mode.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Literal } from '../iceberg/type.ts';
import { columnBounds } from './column-bounds.ts';
import type { FileDetails } from './file-details.ts';
import { type LeafColumn, leafColumns } from './parquet-columns.ts';
import { parseReturnedBound, type ReturnedColumn, type ReturnedFile } from './returned-statistics.ts';

export interface DescribedFile {
  readonly returned: ReturnedFile;
  readonly details: FileDetails;
  /** By field id of a leaf; none where left out. */
  readonly modes: ReadonlyMap<number, MetricsMode>;
  readonly location: string;
  readonly specId: number;
  readonly partition: readonly (Literal | null)[];
  /** The sort order of the table that its rows are in; null where they are in none. */
  readonly sortOrderId: number | null;
}

/** A written Parquet file as a manifest describes it (spec: "Manifests", `data_file`). */
export function describeDataFile(file: DescribedFile, schema: Schema): DataFile {
  const { returned, details, modes } = file;
  const columnSizes = new Map<number, bigint>();
  const valueCounts = new Map<number, bigint>();
  const nullValueCounts = new Map<number, bigint>();
  const nanValueCounts = new Map<number, bigint>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const leaf of leafColumns(schema.fields)) {
    const column = returned.columns.get(leaf.path);
    const mode = modes.get(leaf.fieldId);
    if (column === undefined || mode === undefined || mode.kind === 'none') continue;
    columnSizes.set(leaf.fieldId, column.columnSizeBytes);
    valueCounts.set(leaf.fieldId, column.valueCount);
    nullValueCounts.set(leaf.fieldId, column.nullCount);
    const nans = details.nans.get(leaf.path);
    // Where there are some and nobody counted them: a count that is left out says nothing, and is never wrong.
    if (column.hasNan === false || nans !== undefined) nanValueCounts.set(leaf.fieldId, nans?.count ?? 0n);
    if (mode.kind === 'counts') continue;
    const { lower, upper } = boundsOf(leaf, column, nans, mode.kind === 'truncate' ? mode.length : Number.POSITIVE_INFINITY);
    if (lower !== null) lowerBounds.set(leaf.fieldId, lower);
    if (upper !== null) upperBounds.set(leaf.fieldId, upper);
  }
  return {
    content: 'data',
    filePath: file.location,
    fileFormat: 'parquet',
    specId: file.specId,
    partition: file.partition,
    recordCount: returned.rowCount,
    fileSizeInBytes: returned.sizeBytes,
    columnSizes,
    valueCounts,
    nullValueCounts,
    nanValueCounts,
    lowerBounds,
    upperBounds,
    keyMetadata: null,
    splitOffsets: details.splitOffsets,
    equalityIds: null,
    sortOrderId: file.sortOrderId,
  };
}

function boundsOf(leaf: LeafColumn, column: ReturnedColumn, nans: { readonly max: string | null } | undefined, length: number) {
  if (leaf.repeated || column.min === undefined || column.max === undefined) return { lower: null, upper: null };
  // SQL counts NaN as the greatest value, Iceberg leaves it out of the bounds. Nothing but NaN has none.
  if (nans?.max === null) return { lower: null, upper: null };
  const max = parseReturnedBound(leaf.type, nans?.max ?? column.max);
  const bounds = columnBounds(leaf.type, parseReturnedBound(leaf.type, column.min), max, length);
  return column.hasNan === true && nans === undefined ? { ...bounds, upper: null } : bounds;
}

/** Throws BAD_USER_INPUT where a required column holds a null. */
export function refuseNulls(files: readonly ReturnedFile[], schema: Schema): void {
  for (const leaf of leafColumns(schema.fields)) {
    if (!leaf.required) continue;
    const nulls = files.reduce((sum, file) => sum + (file.columns.get(leaf.path)?.nullCount ?? 0n), 0n);
    if (nulls === 0n) continue;
    const name = leaf.path.slice(1, -1).replaceAll('""', '"');
    throw new IcecoreError('BAD_USER_INPUT', `Column "${name}" is required, and ${nulls} of the rows have no value for it.`, {
      context: { column: name, nulls: nulls.toString() },
    });
  }
}

/** Throws BAD_USER_INPUT where a date or an instant is infinite: SQL has such, Iceberg not, and no partition holds them. */
export function refuseInfinite(files: readonly ReturnedFile[], schema: Schema): void {
  for (const leaf of leafColumns(schema.fields)) {
    if (leaf.type !== 'date' && !leaf.type.startsWith('timestamp')) continue;
    const isInfinite = files.some((file) => {
      const column = file.columns.get(leaf.path);
      return column?.max === 'infinity' || column?.min === '-infinity';
    });
    if (!isInfinite) continue;
    const name = leaf.path.slice(1, -1).replaceAll('""', '"');
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Column "${name}" has an infinite ${leaf.type}, which no table can hold: write a null.`,
      {
        context: { column: name },
      },
    );
  }
}
