import { IcecoreError } from '../errors.ts';
import { columnIdMax } from '../limits.ts';
import type { NestedField, Type } from './type.ts';

/** A table schema (spec: "Schemas"). Field ids are what counts; names may change. */
export interface Schema {
  readonly schemaId: number;
  readonly fields: readonly NestedField[];
  readonly identifierFieldIds: readonly number[];
}

interface SchemaIndex {
  readonly byId: ReadonlyMap<number, NestedField>;
  readonly pathById: ReadonlyMap<number, string>;
  readonly byPath: ReadonlyMap<string, NestedField>;
  /** Ids of what lies in a list or a map: many values a row. */
  readonly repeated: ReadonlySet<number>;
}

const indexes = new WeakMap<Schema, SchemaIndex>();

function indexOf(schema: Schema): SchemaIndex {
  const known = indexes.get(schema);
  if (known !== undefined) return known;
  const byId = new Map<number, NestedField>();
  const pathById = new Map<number, string>();
  const byPath = new Map<string, NestedField>();
  const repeated = new Set<number>();
  const visit = (field: NestedField, prefix: string, isRepeated: boolean) => {
    const path = prefix === '' ? field.name : `${prefix}.${field.name}`;
    if (byId.has(field.id)) throw wrongSchema(`the id ${field.id} belongs to both ${pathById.get(field.id)} and ${path}`);
    if (byPath.has(path)) throw wrongSchema(`the name ${path} occurs twice`);
    byId.set(field.id, field);
    pathById.set(field.id, path);
    byPath.set(path, field);
    if (isRepeated) repeated.add(field.id);
    for (const child of childFields(field.type)) visit(child, path, isRepeated || isRepeating(field.type));
  };
  for (const field of schema.fields) visit(field, '', false);
  const index = { byId, pathById, byPath, repeated };
  indexes.set(schema, index);
  return index;
}

function isRepeating(type: Type): boolean {
  return typeof type !== 'string' && type.kind !== 'struct';
}

/** The fields one level below a type: a struct's own; `element`; `key` and `value`. Empty for a primitive type. */
export function childFields(type: Type): readonly NestedField[] {
  if (typeof type === 'string') return [];
  switch (type.kind) {
    case 'struct':
      return type.fields;
    case 'list':
      return [{ id: type.elementId, name: 'element', type: type.element, required: type.elementRequired }];
    case 'map':
      return [
        { id: type.keyId, name: 'key', type: type.key, required: true },
        { id: type.valueId, name: 'value', type: type.value, required: type.valueRequired },
      ];
  }
}

/** The field with an id, at any depth; elements, keys and values are fields too. */
export function fieldById(schema: Schema, id: number): NestedField | undefined {
  return indexOf(schema).byId.get(id);
}

/** The field at a path such as `a` or `a.b` or `list.element`. Names are case-sensitive. */
export function fieldByName(schema: Schema, path: string): NestedField | undefined {
  return indexOf(schema).byPath.get(path);
}

/** The path of the field with an id. */
export function columnPath(schema: Schema, id: number): string | undefined {
  return indexOf(schema).pathById.get(id);
}

/** The names of the columns, top level only, in their order. */
export function columnNames(schema: Schema): readonly string[] {
  return schema.fields.map((field) => field.name);
}

/** Whether a row holds at most one value of the field: it is in no list and no map. */
export function isSingleValued(schema: Schema, id: number): boolean {
  return indexOf(schema).byId.has(id) && !indexOf(schema).repeated.has(id);
}

/** The field at a path. Throws BAD_USER_INPUT that lists the columns there are. */
export function requireField(schema: Schema, path: string): NestedField {
  const field = fieldByName(schema, path);
  if (field === undefined) {
    const names = columnNames(schema);
    const shown = names.length > 20 ? `${names.slice(0, 20).join(', ')} and ${names.length - 20} more` : names.join(', ');
    throw new IcecoreError('BAD_USER_INPUT', `There is no column ${path}. The columns are ${shown}.`, {
      context: { column: path },
    });
  }
  return field;
}

/** 0 for a schema without fields. */
export function highestFieldId(schema: Schema): number {
  return indexOf(schema)
    .byId.keys()
    .reduce((highest, id) => Math.max(highest, id), 0);
}

/** Throws BAD_USER_INPUT where ids or names are used twice, or identifier fields are not what the specification allows. */
export function checkSchema(schema: Schema): void {
  for (const [id, path] of indexOf(schema).pathById) {
    // Ours begin at 1. Spark's begin at 0 in the schemas of views, and in those of tables that it asks a catalog to create.
    if (id < 0 || id > columnIdMax) throw wrongSchema(`the id ${id} of ${path} is not between 0 and ${columnIdMax}`);
    if (path === '' || path.endsWith('.')) throw wrongSchema('a column has no name');
    // SQL ends at such a byte, so no engine could name the column.
    if (path.includes('\0')) throw wrongSchema(`the name ${JSON.stringify(path)} holds a zero byte`);
  }
  for (const id of schema.identifierFieldIds) {
    const field = fieldById(schema, id);
    if (field === undefined) throw wrongSchema(`the identifier field ${id} does not exist`);
    const usable = typeof field.type === 'string' && field.type !== 'float' && field.type !== 'double';
    if (!usable || !field.required || !isSingleValued(schema, id)) {
      throw wrongSchema(`the identifier field ${field.name} must be required, and neither float, double nor in a list or map`);
    }
  }
}

const typesOfV3: ReadonlySet<unknown> = new Set(['timestamp_ns', 'timestamptz_ns', 'unknown']);

/** Throws BAD_USER_INPUT where the schema has a type or an initial default that the format version does not know. */
export function checkSchemaVersion(schema: Schema, formatVersion: 1 | 2 | 3): void {
  if (formatVersion === 3) return;
  for (const [id, field] of indexOf(schema).byId) {
    const path = indexOf(schema).pathById.get(id);
    if (typesOfV3.has(field.type)) throw wrongSchema(`${path} is ${field.type}, which there is from format version 3 on`);
    if (field.initialDefault !== undefined && field.initialDefault !== null) {
      throw wrongSchema(`${path} has an initial default, which there is from format version 3 on`);
    }
  }
}

/** Whether two schemas have the same fields and identifier fields; their ids as schemas do not count. */
export function sameSchema(left: Schema, right: Schema): boolean {
  const text = ({ fields, identifierFieldIds }: Schema) =>
    JSON.stringify([fields, identifierFieldIds.toSorted((a, b) => a - b)], (_key, value) =>
      typeof value === 'bigint' ? `${value}n` : isPlainObject(value) ? sortedEntries(value) : value,
    );
  return text(left) === text(right);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedEntries(value: Record<string, unknown>): unknown {
  return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function wrongSchema(reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The schema is not valid: ${reason}.`);
}
