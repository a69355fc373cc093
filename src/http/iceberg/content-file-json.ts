import type { DataFile } from '../../iceberg/data-file.ts';
import { printJsonValue } from '../../iceberg/json-value.ts';
import { requireSpec, specValueTypes, type TablePartitioning } from '../../iceberg/table-partitioning.ts';
import type { Literal, PrimitiveType } from '../../iceberg/type.ts';

/** Gives the JSON of a table's data and delete files (REST specification: `DataFile`, `DeleteFile`); metrics are of these columns only. */
export function contentFileJson(
  table: TablePartitioning,
  statsFieldIds: ReadonlySet<number>,
): (file: DataFile) => Readonly<Record<string, unknown>> {
  const typesBySpec = new Map<number, readonly PrimitiveType[]>();
  const typesOf = (specId: number) => {
    const types = typesBySpec.get(specId) ?? specValueTypes(table, requireSpec(table, specId));
    typesBySpec.set(specId, types);
    return types;
  };
  return (file) => ({
    'spec-id': file.specId,
    content: file.content,
    'file-path': file.filePath,
    'file-format': file.fileFormat,
    partition: typesOf(file.specId).map((type, index) => partitionValue(type, file.partition[index] ?? null)),
    'file-size-in-bytes': file.fileSizeInBytes,
    'record-count': file.recordCount,
    ...(file.content === 'data' && statsFieldIds.size > 0 ? metricsJson(file, statsFieldIds) : {}),
    ...present('key-metadata', file.keyMetadata === null ? null : hex(file.keyMetadata)),
    ...present('split-offsets', file.splitOffsets),
    ...present('equality-ids', file.equalityIds),
    ...present('sort-order-id', file.sortOrderId),
    ...present('first-row-id', file.firstRowId),
    ...present('referenced-data-file', file.referencedDataFile),
    ...present('content-offset', file.contentOffset),
    ...present('content-size-in-bytes', file.contentSizeInBytes),
  });
}

function present(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === null || value === undefined ? {} : { [name]: value };
}

/** Floats that are no number cannot be said in JSON; the reference writes them as text. */
function partitionValue(type: PrimitiveType, value: Literal | null): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (type === 'unknown') return null;
  return printJsonValue(type, value);
}

/** Upper case, as the REST specification has it (`BinaryTypeValue`). */
function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex').toUpperCase();
}

/** Bounds are the hex digits of their single-value bytes, whatever the column's type: so do the reference's clients read them. */
function metricsJson(file: DataFile, fieldIds: ReadonlySet<number>): Readonly<Record<string, unknown>> {
  const maps = {
    'column-sizes': file.columnSizes,
    'value-counts': file.valueCounts,
    'null-value-counts': file.nullValueCounts,
    'nan-value-counts': file.nanValueCounts,
    'lower-bounds': file.lowerBounds,
    'upper-bounds': file.upperBounds,
  };
  return Object.fromEntries(
    Object.entries(maps).map(([name, map]) => {
      const kept = [...map].filter(([fieldId]) => fieldIds.has(fieldId));
      const values = kept.map(([, value]) => (value instanceof Uint8Array ? hex(value) : value));
      return [name, { keys: kept.map(([fieldId]) => fieldId), values }];
    }),
  );
}
