import { IcecoreError } from '../errors.ts';
import { asInt, asLong, asObject, asString, type JsonObject, member, optionalMember } from './json-member.ts';
import type { TableRequirement } from './table-update.ts';

/** Reads a requirement (REST specification: `TableRequirement`). Throws BAD_USER_INPUT, also for one that is not known. */
export function parseRequirement(json: unknown, at = 'the requirement'): TableRequirement {
  const object = asObject(json, at);
  const type = member(object, 'type', asString, at);
  const where = `the requirement ${type}`;
  switch (type) {
    case 'assert-create':
      return { type };
    case 'assert-table-uuid':
      return { type, uuid: member(object, 'uuid', asString, where) };
    case 'assert-ref-snapshot-id':
      return {
        type,
        ref: member(object, 'ref', asString, where),
        snapshotId: optionalMember(object, 'snapshot-id', asLong, where) ?? null,
      };
    case 'assert-last-assigned-field-id':
      return { type, lastAssignedFieldId: member(object, 'last-assigned-field-id', asInt, where) };
    case 'assert-current-schema-id':
      return { type, currentSchemaId: member(object, 'current-schema-id', asInt, where) };
    case 'assert-last-assigned-partition-id':
      return { type, lastAssignedPartitionId: member(object, 'last-assigned-partition-id', asInt, where) };
    case 'assert-default-spec-id':
      return { type, defaultSpecId: member(object, 'default-spec-id', asInt, where) };
    case 'assert-default-sort-order-id':
      return { type, defaultSortOrderId: member(object, 'default-sort-order-id', asInt, where) };
    default:
      throw new IcecoreError('BAD_USER_INPUT', `There is no table requirement ${type}.`);
  }
}

/** The wire form; print with `printJson`. */
export function printRequirement(requirement: TableRequirement): JsonObject {
  const { type } = requirement;
  switch (type) {
    case 'assert-create':
      return { type };
    case 'assert-table-uuid':
      return { type, uuid: requirement.uuid };
    case 'assert-ref-snapshot-id':
      return { type, ref: requirement.ref, 'snapshot-id': requirement.snapshotId };
    case 'assert-last-assigned-field-id':
      return { type, 'last-assigned-field-id': requirement.lastAssignedFieldId };
    case 'assert-current-schema-id':
      return { type, 'current-schema-id': requirement.currentSchemaId };
    case 'assert-last-assigned-partition-id':
      return { type, 'last-assigned-partition-id': requirement.lastAssignedPartitionId };
    case 'assert-default-spec-id':
      return { type, 'default-spec-id': requirement.defaultSpecId };
    case 'assert-default-sort-order-id':
      return { type, 'default-sort-order-id': requirement.defaultSortOrderId };
  }
}
