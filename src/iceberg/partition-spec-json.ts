import { IcecoreError } from '../errors.ts';
import { asArrayOf, asInt, asObject, asString, type JsonObject, member, optionalMember } from './json-member.ts';
import { firstPartitionFieldId, type PartitionField, type PartitionSpec } from './partition-spec.ts';

/** The column that a field is made from; v3 writes one that is the only one as a list too (spec: "Partitioning", `source-ids`). */
export function parseSourceId(object: JsonObject, where: string): number {
  const ids = optionalMember(object, 'source-ids', asArrayOf(asInt), where);
  if (ids === undefined) return member(object, 'source-id', asInt, where);
  const [only, ...more] = ids;
  if (only === undefined || more.length > 0) {
    throw new IcecoreError('BAD_USER_INPUT', `${where}: a transform of ${ids.length} columns is not supported.`);
  }
  return only;
}

/** Reads the fields of a spec. A field without an id has 0, to be assigned by whoever adds it. */
export function parsePartitionFields(json: unknown, where: string): readonly PartitionField[] {
  return asArrayOf((value, at): PartitionField => {
    const object = asObject(value, at);
    return {
      fieldId: optionalMember(object, 'field-id', asInt, at) ?? 0,
      sourceId: parseSourceId(object, at),
      name: member(object, 'name', asString, at),
      transform: member(object, 'transform', asString, at),
    };
  })(json, where);
}

/** Fields as v1 wrote them, without ids: numbered in their order from 1000 (spec: "Partition Evolution"). */
export function numberFields(fields: readonly PartitionField[]): readonly PartitionField[] {
  return fields.map((field, index) => (field.fieldId === 0 ? { ...field, fieldId: firstPartitionFieldId + index } : field));
}

/** Reads a spec (spec: Appendix C, "Partition Specs"); without `spec-id` it has 0. Throws BAD_USER_INPUT. */
export function parsePartitionSpec(json: unknown, where: string): PartitionSpec {
  const object = asObject(json, where);
  return {
    specId: optionalMember(object, 'spec-id', asInt, where) ?? 0,
    fields: member(object, 'fields', parsePartitionFields, where),
  };
}

/** The fields alone, as manifests hold them. */
export function printPartitionFields(spec: PartitionSpec): readonly unknown[] {
  return spec.fields.map((field) => ({
    name: field.name,
    transform: field.transform,
    'source-id': field.sourceId,
    'field-id': field.fieldId,
  }));
}

export function printPartitionSpec(spec: PartitionSpec): unknown {
  return { 'spec-id': spec.specId, fields: printPartitionFields(spec) };
}
