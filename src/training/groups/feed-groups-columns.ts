import { IcecoreError } from '../../errors.ts';
import type { DataFile } from '../../iceberg/data-file.ts';
import { parseJsonValue } from '../../iceberg/json-value.ts';
import { specById, type TableMetadata } from '../../iceberg/metadata.ts';
import { isPrimitive, type Literal, type NestedField, type PrimitiveType } from '../../iceberg/type.ts';
import { uuidBytes } from '../../iceberg/uuid.ts';
import { uncovered } from '../../parquet/row-group.ts';
import { leavesOf, type SchemaNode } from '../../parquet/schema-node.ts';
import type { FileShape } from './feed-groups-footer.ts';

/** How the wanted columns come from files of one shape. */
export interface ShapeColumns {
  /** Null where `src/parquet` reads them, else what speaks against it. */
  readonly uncovered: string | null;
  /** The wanted columns that such files lack. */
  readonly missing: readonly NestedField[];
  /** Null where a reader can open them that finds columns of Parquet by field id, else what such a file is. */
  readonly unopened: string | null;
}

/** `shape` is null for an Avro file. */
export function shapeColumns(shape: FileShape | null, fields: readonly NestedField[]): ShapeColumns {
  if (shape === null) return { uncovered: 'Avro', missing: [], unopened: 'is Avro' };
  if (!hasIds(shape.columns)) {
    const unopened = 'has no field ids, by which columns are found';
    return { uncovered: 'Columns without field ids', missing: [], unopened };
  }
  const nodes = fields.map((field) => shape.columns.find(({ fieldId }) => fieldId === field.id));
  const missing = fields.filter((_field, index) => nodes[index] === undefined);
  const wanted = nodes.filter((node) => node !== undefined);
  if (missing.some(isNestedDefault)) return { uncovered: nestedDefault, missing, unopened: lacksDefault };
  // What is not there by its id is null, and others would find it by its name.
  if (wanted.some(hasNameless)) {
    return { uncovered: 'Nested columns without field ids', missing, unopened: 'has nested columns without field ids' };
  }
  const what = uncoveredOf(shape, fields);
  return { uncovered: what, missing, unopened: what === nestedDefault ? lacksDefault : null };
}

/** As `src/parquet` says it of what is missing within a column. */
const nestedDefault = 'A nested column with an initial default';
const lacksDefault = 'lacks a nested column that has an initial default';

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

/** Whether something in a column has no id, besides the groups that lists and maps are made of (Parquet: "Nested Types"). */
function hasNameless({ children }: SchemaNode): boolean {
  return children.some((node) => (node.fieldId === null && node.repetition !== 'REPEATED') || hasNameless(node));
}

function isNestedDefault({ type, initialDefault }: NestedField): boolean {
  return !isPrimitive(type) && initialDefault !== undefined && initialDefault !== null;
}

function uncoveredOf({ columns, codecs }: FileShape, fields: readonly NestedField[]): string | null {
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
