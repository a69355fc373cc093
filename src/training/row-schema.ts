import type { NestedField, Type } from '../iceberg/type.ts';

/** A column of rows that are digested: what the digest knows about it. */
export type DigestColumn = Pick<NestedField, 'name' | 'type'>;

/**
 * The canonical schema of a row digest (docs/row-digest.md): JSON without white space, columns in order. Names and types are in
 * it. Field ids and nullability are not: they belong to the table that happens to hold the rows, and a reproduction's table is
 * another one.
 */
export function rowSchemaText(columns: readonly DigestColumn[]): string {
  return JSON.stringify(columns.map(({ name, type }) => ({ name, type: typeJson(type) })));
}

/** Members in alphabetical order, as RFC 8785 wants them. */
function typeJson(type: Type): unknown {
  if (typeof type === 'string') {
    const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type);
    return decimal === null ? type : `decimal(${decimal[1]}, ${decimal[2]})`;
  }
  switch (type.kind) {
    case 'struct':
      return { fields: type.fields.map((field) => ({ name: field.name, type: typeJson(field.type) })), type: 'struct' };
    case 'list':
      return { element: typeJson(type.element), type: 'list' };
    case 'map':
      return { key: typeJson(type.key), type: 'map', value: typeJson(type.value) };
  }
}
