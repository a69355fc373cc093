import { IcecoreError } from '../errors.ts';
import { assignTypeIds } from './field-id.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { columnPath, fieldByName, requireField, type Schema } from './schema.ts';
import type { SortOrder } from './sort-order.ts';
import { parseTransform } from './transform.ts';
import { decimalParts, type NestedField, type Type } from './type.ts';
import { printTypeText } from './type-text.ts';

/** A schema on its way from one version to the next, with the greatest id ever given to a column of the table. */
export interface SchemaVersion {
  readonly schema: Schema;
  readonly lastColumnId: number;
}

export interface NewColumn {
  readonly name: string;
  /** Ids in it are given anew. */
  readonly type: Type;
  readonly required?: boolean;
  readonly doc?: string;
  /** v3, in the JSON single-value form. A required column needs it. */
  readonly initialDefault?: unknown;
  readonly writeDefault?: unknown;
  /** Path of the struct it is added to; the table itself where left out. */
  readonly parent?: string;
}

/** Adds a column behind the others (spec: "Schema Evolution"). Throws ALREADY_EXISTS or BAD_USER_INPUT. */
export function addColumn({ schema, lastColumnId }: SchemaVersion, column: NewColumn): SchemaVersion {
  const path = column.parent === undefined ? column.name : `${column.parent}.${column.name}`;
  refuseName(schema, column.name, path);
  if (column.required === true && column.initialDefault === undefined) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The column ${path} cannot be added as required: rows written before would have no value. Add it as optional.`,
    );
  }
  let last = lastColumnId;
  const assignId = () => ++last;
  const field: NestedField = {
    id: assignId(),
    name: column.name,
    type: assignTypeIds(column.type, assignId),
    required: column.required ?? false,
    ...(column.doc === undefined ? {} : { doc: column.doc }),
    ...(column.initialDefault === undefined ? {} : { initialDefault: column.initialDefault }),
    ...(column.writeDefault === undefined ? {} : { writeDefault: column.writeDefault }),
  };
  if (column.parent === undefined) return { schema: { ...schema, fields: [...schema.fields, field] }, lastColumnId: last };
  const parent = requireField(schema, column.parent);
  const struct = parent.type;
  if (typeof struct === 'string' || struct.kind !== 'struct') {
    throw new IcecoreError('BAD_USER_INPUT', `${column.parent} is ${printTypeText(struct)}; columns are added to structs only.`);
  }
  const widened: NestedField = { ...parent, type: { kind: 'struct', fields: [...struct.fields, field] } };
  return { schema: withField(schema, parent.id, () => [widened]), lastColumnId: last };
}

/** Gives the column at `path` another name; what lies in it keeps its ids. */
export function renameColumn(version: SchemaVersion, path: string, newName: string): SchemaVersion {
  const field = requireStructField(version.schema, path);
  const prefix = path.slice(0, path.length - field.name.length);
  if (newName === field.name) return version;
  refuseName(version.schema, newName, `${prefix}${newName}`);
  return changed(version, field.id, (old) => [{ ...old, name: newName }]);
}

/** What else refers to columns by id, and so stands in the way of dropping them. */
export interface ColumnUses {
  readonly partitionSpecs: readonly PartitionSpec[];
  readonly sortOrders: readonly SortOrder[];
}

/** Takes a column away. Throws FAILED_PRECONDITION where a partition spec, sort order or the row identity needs it. */
export function dropColumn(version: SchemaVersion, path: string, uses: ColumnUses): SchemaVersion {
  const { schema } = version;
  const field = requireStructField(schema, path);
  const isWithin = (id: number) => {
    const used = columnPath(schema, id);
    return used === path || used?.startsWith(`${path}.`) === true;
  };
  const refuse = (reason: string) => new IcecoreError('FAILED_PRECONDITION', `The column ${path} cannot be dropped: ${reason}.`);
  for (const spec of uses.partitionSpecs) {
    const use = spec.fields.find((item) => isWithin(item.sourceId) && parseTransform(item.transform).kind !== 'void');
    if (use !== undefined) throw refuse(`the partition field ${use.name} of spec ${spec.specId} is made from it`);
  }
  for (const order of uses.sortOrders) {
    if (order.fields.some((item) => isWithin(item.sourceId))) throw refuse(`sort order ${order.orderId} uses it`);
  }
  if (schema.identifierFieldIds.some(isWithin)) throw refuse('it identifies rows');
  const next = changed(version, field.id, () => []);
  if (next.schema.fields.length === 0) throw refuse('a table keeps at least one column');
  const parent = path.slice(0, -field.name.length - 1);
  const struct = parent === '' ? undefined : fieldByName(next.schema, parent)?.type;
  if (typeof struct === 'object' && struct.kind === 'struct' && struct.fields.length === 0) {
    throw refuse(`${parent} would be a struct without fields; drop ${parent}`);
  }
  return next;
}

/**
 * Gives a column a wider type: int to long, float to double, decimal to one of the same scale and greater precision (spec:
 * "Schema Evolution"). Throws BAD_USER_INPUT for anything else.
 */
export function widenColumn(version: SchemaVersion, path: string, type: Type): SchemaVersion {
  const field = requireField(version.schema, path);
  if (field.type === type) return version;
  if (!canWiden(field.type, type)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The column ${path} cannot go from ${printTypeText(field.type)} to ${printTypeText(type)}. What can: int to long, float to ` +
        'double, decimal(p, s) to a greater p.',
    );
  }
  return {
    ...version,
    schema: { ...version.schema, fields: mapFields(version.schema.fields, field.id, (old) => [{ ...old, type }]) },
  };
}

function canWiden(from: Type, to: Type): boolean {
  if (from === 'int') return to === 'long';
  if (from === 'float') return to === 'double';
  const [narrow, wide] = [decimalParts(from), decimalParts(to)];
  return narrow !== null && wide !== null && narrow.scale === wide.scale && wide.precision >= narrow.precision;
}

/** Sets a column's documentation; null takes it away. */
export function setDoc(version: SchemaVersion, path: string, doc: string | null): SchemaVersion {
  const field = requireStructField(version.schema, path);
  return changed(version, field.id, ({ doc: _old, ...rest }) => [doc === null ? rest : { ...rest, doc }]);
}

function refuseName(schema: Schema, name: string, path: string): void {
  if (name === '') throw new IcecoreError('BAD_USER_INPUT', 'A column needs a name.');
  if (fieldByName(schema, path) !== undefined) throw new IcecoreError('ALREADY_EXISTS', `There is a column ${path} already.`);
}

/** Elements, keys and values have no name, doc or place of their own to change. */
function requireStructField(schema: Schema, path: string): NestedField {
  const field = requireField(schema, path);
  const parent = path.slice(0, -field.name.length - 1);
  const type = path === field.name ? undefined : fieldByName(schema, parent)?.type;
  if (typeof type === 'object' && type.kind !== 'struct') {
    throw new IcecoreError('BAD_USER_INPUT', `${path} is the ${field.name} of a ${type.kind}; change ${parent} as a whole.`);
  }
  return field;
}

function changed(version: SchemaVersion, id: number, change: (field: NestedField) => readonly NestedField[]): SchemaVersion {
  return { ...version, schema: withField(version.schema, id, change) };
}

function withField(schema: Schema, id: number, change: (field: NestedField) => readonly NestedField[]): Schema {
  return { ...schema, fields: mapFields(schema.fields, id, change) };
}

type FieldChange = (field: NestedField) => readonly NestedField[];

function mapFields(fields: readonly NestedField[], id: number, change: FieldChange): readonly NestedField[] {
  return fields.flatMap((field) => (field.id === id ? change(field) : [{ ...field, type: mapType(field.type, id, change) }]));
}

function mapType(type: Type, id: number, change: FieldChange): Type {
  if (typeof type === 'string') return type;
  const inner = (childId: number, child: Type): Type =>
    childId === id
      ? (change({ id: childId, name: '', type: child, required: false })[0]?.type ?? child)
      : mapType(child, id, change);
  switch (type.kind) {
    case 'struct':
      return { kind: 'struct', fields: mapFields(type.fields, id, change) };
    case 'list':
      return { ...type, element: inner(type.elementId, type.element) };
    case 'map':
      return { ...type, key: inner(type.keyId, type.key), value: inner(type.valueId, type.value) };
  }
}
