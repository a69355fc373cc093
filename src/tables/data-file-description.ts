import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Literal } from '../iceberg/type.ts';
import { rowGroupRowsMax } from '../limits.ts';
import { columnBounds } from './column-bounds.ts';
import { type LeafColumn, leafColumns } from './parquet-columns.ts';
import { parseReturnedBound, type ReturnedColumn, type ReturnedFile } from './returned-statistics.ts';

/** Java's default: beyond so many columns no metrics are kept, since every reader of the manifest pays for them. */
const columnsWithMetricsMax = 100;
/** The magic bytes of Parquet come before the first row group. */
const firstRowGroupOffset = 4n;

export interface DescribedFile {
  readonly returned: ReturnedFile;
  readonly location: string;
  readonly specId: number;
  readonly partition: readonly (Literal | null)[];
  /** The sort order of the table that its rows are in; null where they are in none. */
  readonly sortOrderId: number | null;
}

/** A written Parquet file as a manifest describes it (spec: "Manifests", `data_file`). */
export function describeDataFile(file: DescribedFile, schema: Schema): DataFile {
  const { returned } = file;
  const columnSizes = new Map<number, bigint>();
  const valueCounts = new Map<number, bigint>();
  const nullValueCounts = new Map<number, bigint>();
  const nanValueCounts = new Map<number, bigint>();
  const lowerBounds = new Map<number, Uint8Array>();
  const upperBounds = new Map<number, Uint8Array>();
  for (const leaf of leafColumns(schema.fields).slice(0, columnsWithMetricsMax)) {
    const column = returned.columns.get(leaf.path);
    if (column === undefined) continue;
    columnSizes.set(leaf.fieldId, column.columnSizeBytes);
    valueCounts.set(leaf.fieldId, column.valueCount);
    nullValueCounts.set(leaf.fieldId, column.nullCount);
    // That there are some is known, not how many: a count that is left out says nothing, and is never wrong.
    if (column.hasNan === false) nanValueCounts.set(leaf.fieldId, 0n);
    const { lower, upper } = boundsOf(leaf, column);
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
    splitOffsets: returned.rowCount <= BigInt(rowGroupRowsMax) ? [firstRowGroupOffset] : null,
    equalityIds: null,
    sortOrderId: file.sortOrderId,
  };
}

function boundsOf(leaf: LeafColumn, column: ReturnedColumn) {
  if (leaf.repeated || column.min === undefined || column.max === undefined) return { lower: null, upper: null };
  const bounds = columnBounds(leaf.type, parseReturnedBound(leaf.type, column.min), parseReturnedBound(leaf.type, column.max));
  // SQL counts NaN as the greatest value, Iceberg leaves it out of the bounds: without the upper one, both are right.
  return column.hasNan === true ? { ...bounds, upper: null } : bounds;
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
