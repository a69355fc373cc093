import type { DataFile } from '../iceberg/data-file.ts';
import { specById, type TableMetadata } from '../iceberg/metadata.ts';
import { printPartitionValue } from '../iceberg/partition-path.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import { isPrimitive, type Literal, type NestedField, type Type } from '../iceberg/type.ts';
import { quoteText } from '../sql/quote.ts';
import { columnSql } from './column-projection.ts';
import { nameMapping, withMappedIds } from './name-mapping.ts';
import { isOwnName } from './own-name.ts';
import { hasFieldIds, isReadById, type ParquetShape, parquetShapes, type ShapeNode } from './parquet-shape.ts';
import type { Tables } from './tables.ts';

/** SQL over the file's own columns, as `data."name"`, or a constant, by the field id of the table's column; one without is in no file. */
export type FileColumns = ReadonlyMap<number, string>;

/** By the location of the files that are not simply read by field id; of most tables there is none. */
export type ColumnsByFile = ReadonlyMap<string, FileColumns>;

const none: ColumnsByFile = new Map();

/**
 * Looks into files for which reading top-level columns by field id is not enough (spec: "Column Projection"): those of tables with a name
 * mapping, which may have no ids; those with nested columns that were changed since; and those of other writers, which may lack columns that
 * their partition says all of, or some ids: DuckDB reads such by position, or fails within itself. Without a mapping, columns without
 * an id are in no file.
 */
export async function columnsByFile(
  tables: Tables,
  metadata: TableMetadata,
  fields: readonly NestedField[],
  tasks: readonly FileScanTask[],
  path: (location: string) => string,
): Promise<ColumnsByFile> {
  const mapping = nameMapping(metadata);
  const evolved = fields.filter((field) => wasEvolvedInside(field, metadata.schemas));
  const isEach = mapping !== null || evolved.length > 0;
  const looked = isEach ? tasks : tasks.filter(({ file }) => !isOwnName(file.filePath));
  if (looked.length === 0) return none;
  const shapes = await parquetShapes(
    tables,
    looked.map(({ file }) => path(file.filePath)),
  );
  const found = new Map<string, FileColumns>();
  for (const { file } of looked) {
    const shape = shapes.get(path(file.filePath)) ?? [];
    const isNamed = !hasFieldIds(shape);
    const withIds = isNamed && mapping !== null ? withMappedIds(shape, mapping) : shape;
    const isOther = evolved.some(
      (field) =>
        !isSameInside(
          field.type,
          withIds.find(({ fieldId }) => fieldId === field.id),
        ),
    );
    const missing = fields.filter((field) => !withIds.some(({ fieldId }) => fieldId === field.id));
    const lacks = mapping === null ? missing.some((field) => inPartition(file, field, metadata)) : missing.length > 0;
    if (isNamed || isOther || lacks || !isReadById(shape)) found.set(file.filePath, columnsOf(file, withIds, metadata, fields));
  }
  return found;
}

function columnsOf(file: DataFile, shape: ParquetShape, metadata: TableMetadata, fields: readonly NestedField[]): FileColumns {
  const columns = new Map<number, string>();
  for (const field of fields) {
    const node = shape.find(({ fieldId }) => fieldId === field.id);
    const constant = partitionConstant(file, field, metadata);
    if (node !== undefined) columns.set(field.id, columnSql(field.type, node));
    else if (constant !== null) columns.set(field.id, constant);
  }
  return columns;
}

/** Whether any schema has had something else inside of the column. */
function wasEvolvedInside(field: NestedField, schemas: readonly Schema[]): boolean {
  if (isPrimitive(field.type)) return false;
  const now = insideOf(field.type);
  return schemas.some(({ fields }) => {
    const then = fields.find(({ id }) => id === field.id);
    return then !== undefined && insideOf(then.type) !== now;
  });
}

/** Names and ids of what is nested in a type. */
function insideOf(type: Type): string {
  return JSON.stringify(childrenOf(type).map(({ id, name, type: inner }) => [id, name, insideOf(inner)]));
}

function isSameInside(type: Type, node: ShapeNode | undefined): boolean {
  if (node === undefined) return true;
  const children = childrenOf(type);
  const isStruct = !isPrimitive(type) && type.kind === 'struct';
  return (
    children.length === node.children.length &&
    children.every((child, index) => {
      const inFile = node.children[index];
      const isNamed = !isStruct || inFile?.name === child.name;
      return inFile?.fieldId === child.id && isNamed && isSameInside(child.type, inFile);
    })
  );
}

function childrenOf(type: Type): readonly { readonly id: number; readonly name: string; readonly type: Type }[] {
  if (isPrimitive(type)) return [];
  switch (type.kind) {
    case 'struct':
      return type.fields;
    case 'list':
      return [{ id: type.elementId, name: 'element', type: type.element }];
    case 'map':
      return [
        { id: type.keyId, name: 'key', type: type.key },
        { id: type.valueId, name: 'value', type: type.value },
      ];
  }
}

function inPartition(file: DataFile, field: NestedField, metadata: TableMetadata): boolean {
  return partitionConstant(file, field, metadata) !== null;
}

/** An identity partition's value as SQL; null where the file's spec has none for the column. */
function partitionConstant(file: DataFile, { id, type }: NestedField, metadata: TableMetadata): string | null {
  if (!isPrimitive(type)) return null;
  const fields = specById(metadata, file.specId)?.fields ?? [];
  const index = fields.findIndex((field) => field.sourceId === id && field.transform === 'identity');
  if (index < 0) return null;
  const value: Literal | null = file.partition[index] ?? null;
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `from_hex('${Buffer.from(value).toString('hex')}')`;
  return quoteText(printPartitionValue('identity', type, value));
}
