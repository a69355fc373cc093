import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { parseJsonValue } from '../iceberg/json-value.ts';
import { specById, type TableMetadata } from '../iceberg/metadata.ts';
import { isPrimitive, type Literal, type NestedField, type PrimitiveType } from '../iceberg/type.ts';
import { uuidBytes } from '../iceberg/uuid.ts';
import { uncovered } from '../parquet/row-group.ts';
import { leavesOf, type SchemaNode } from '../parquet/schema-node.ts';
import type { FileShape } from './feed-groups-footer.ts';

/** How the wanted columns come from files of one shape. */
export interface ShapeColumns {
  /** Null where `src/parquet` reads them, else what speaks against it. */
  readonly uncovered: string | null;
  /** The wanted columns that such files lack. */
  readonly missing: readonly NestedField[];
  /** Whether no column can be found by field id. */
  readonly hasNoIds: boolean;
}

/** `shape` is null for an Avro file. */
export function shapeColumns(shape: FileShape | null, fields: readonly NestedField[]): ShapeColumns {
  if (shape === null) return { uncovered: 'Avro', missing: [], hasNoIds: true };
  if (!hasIds(shape.columns)) return { uncovered: 'Columns without field ids', missing: [], hasNoIds: true };
  const missing = fields.filter((field) => !shape.columns.some(({ fieldId }) => fieldId === field.id));
  return { uncovered: uncoveredOf(shape, fields, missing), missing, hasNoIds: false };
}

/**
 * The value that all rows of a file have of columns that it lacks, by field id: what its partition says, else the initial default (spec:
 * "Column Projection"); the others are null. A uuid is 16 bytes, as Arrow has it.
 */
export function constantsOf(
  file: Pick<DataFile, 'specId' | 'partition'>,
  missing: readonly NestedField[],
  metadata: TableMetadata,
): ReadonlyMap<number, Literal> {
  const constants = new Map<number, Literal>();
  const partitionFields = missing.length === 0 ? [] : (specById(metadata, file.specId)?.fields ?? []);
  for (const { id, name, type, initialDefault } of missing) {
    if (!isPrimitive(type) || type === 'unknown') continue;
    const index = partitionFields.findIndex(({ sourceId, transform }) => sourceId === id && transform === 'identity');
    const value =
      index < 0 ? parseJsonValue(type, initialDefault, `The initial default of ${name}`) : (file.partition[index] ?? null);
    if (value !== null) constants.set(id, cellOf(type, value));
  }
  return constants;
}

function cellOf(type: PrimitiveType, value: Literal): Literal {
  // A column may have been an int when the file was written.
  if (type === 'long' && typeof value === 'number') return BigInt(value);
  return type === 'uuid' && typeof value === 'string' ? uuidBytes(value) : value;
}

function hasIds(columns: readonly SchemaNode[]): boolean {
  return columns.some(({ fieldId, children }) => fieldId !== null || hasIds(children));
}

function uncoveredOf({ columns, codecs }: FileShape, fields: readonly NestedField[], missing: readonly NestedField[]) {
  const isNestedDefault = ({ type, initialDefault }: NestedField): boolean =>
    !isPrimitive(type) && initialDefault !== undefined && initialDefault !== null;
  if (missing.some(isNestedDefault)) return 'A nested column with an initial default';
  const chunks = leavesOf(columns).map(({ leaf }, index) => ({
    physical: leaf.physical,
    codec: codecs[index] ?? 'UNCOMPRESSED',
    encodings: [],
    valueCount: 0,
    range: { start: 0, end: 0 },
  }));
  try {
    return uncovered({ rowCount: 0, columns, rowGroups: [{ rowCount: 0, chunks }] }, fields);
  } catch (error) {
    // Two columns with one id: SQL takes the first.
    if (IcecoreError.is(error, 'FAILED_PRECONDITION')) return error.message;
    throw error;
  }
}
