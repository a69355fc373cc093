import { parseJson } from '../iceberg/json.ts';
import { asArrayOf, asInt, asObject, asString, member, optionalMember } from '../iceberg/json-member.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { ParquetShape } from './parquet-shape.ts';

const property = 'schema.name-mapping.default';

/** Which names a field may have in files without field ids (spec: "Name Mapping Serialization"). */
export interface MappedField {
  readonly fieldId: number | null;
  readonly names: readonly string[];
  readonly fields: readonly MappedField[];
}

/** Null where the table has none. Throws BAD_USER_INPUT where it cannot be read. */
export function nameMapping({ properties }: TableMetadata): readonly MappedField[] | null {
  const text = properties[property];
  return text === undefined ? null : asArrayOf(asMappedField)(parseJson(text), property);
}

function asMappedField(value: unknown, at: string): MappedField {
  const field = asObject(value, at);
  return {
    fieldId: optionalMember(field, 'field-id', asInt, at) ?? null,
    names: member(field, 'names', asArrayOf(asString), at),
    fields: optionalMember(field, 'fields', asArrayOf(asMappedField), at) ?? [],
  };
}

/** The shape with the ids that the mapping gives to names; what it does not know has none. */
export function withMappedIds(shape: ParquetShape, mapping: readonly MappedField[]): ParquetShape {
  return shape.map((node) => {
    const mapped = mapping.find(({ names }) => names.includes(node.name));
    return { name: node.name, fieldId: mapped?.fieldId ?? null, children: withMappedIds(node.children, mapped?.fields ?? []) };
  });
}
