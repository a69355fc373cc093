import { IcecoreError } from '../errors.ts';
import {
  asArrayOf,
  asInt,
  asLong,
  asObject,
  asRecordOf,
  asString,
  type JsonObject,
  member,
  optionalMember,
} from './json-member.ts';
import { formatVersionMax } from './metadata.ts';
import { parsePartitionSpec, printPartitionSpec } from './partition-spec-json.ts';
import { parseSchema, printSchema } from './schema-json.ts';
import { parseSnapshot, parseSnapshotRef, printSnapshot, printSnapshotRef } from './snapshot-json.ts';
import { parseSortOrder, printSortOrder } from './sort-order-json.ts';
import type { StatisticsFile, TableUpdate } from './table-update.ts';

/** Reads a change as the REST protocol carries it (REST specification: `TableUpdate`). Throws BAD_USER_INPUT, also for an unknown one. */
export function parseTableUpdate(json: unknown, at = 'the update'): TableUpdate {
  const object = asObject(json, at);
  const action = member(object, 'action', asString, at);
  const where = `the update ${action}`;
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: member(object, 'uuid', asString, where) };
    case 'upgrade-format-version':
      return { action, formatVersion: member(object, 'format-version', asFormatVersion, where) };
    case 'add-schema': {
      const lastColumnId = optionalMember(object, 'last-column-id', asInt, where);
      const schema = member(object, 'schema', parseSchema, where);
      return { action, schema, ...(lastColumnId === undefined ? {} : { lastColumnId }) };
    }
    case 'set-current-schema':
      return { action, schemaId: member(object, 'schema-id', asInt, where) };
    case 'add-spec':
      return { action, spec: member(object, 'spec', parsePartitionSpec, where) };
    case 'set-default-spec':
      return { action, specId: member(object, 'spec-id', asInt, where) };
    case 'add-sort-order':
      return { action, sortOrder: member(object, 'sort-order', parseSortOrder, where) };
    case 'set-default-sort-order':
      return { action, sortOrderId: member(object, 'sort-order-id', asInt, where) };
    case 'add-snapshot':
      return { action, snapshot: member(object, 'snapshot', parseSnapshot, where) };
    case 'set-snapshot-ref':
      return { action, refName: member(object, 'ref-name', asString, where), ref: parseSnapshotRef(object, where) };
    case 'remove-snapshots':
      return { action, snapshotIds: member(object, 'snapshot-ids', asArrayOf(asLong), where) };
    case 'remove-snapshot-ref':
      return { action, refName: member(object, 'ref-name', asString, where) };
    case 'set-location':
      return { action, location: member(object, 'location', asString, where) };
    case 'set-properties':
      return { action, updates: member(object, nameOf(object, 'updates', 'updated'), asRecordOf(asString), where) };
    case 'remove-properties':
      return { action, removals: member(object, nameOf(object, 'removals', 'removed'), asArrayOf(asString), where) };
    case 'remove-partition-specs':
      return { action, specIds: member(object, 'spec-ids', asArrayOf(asInt), where) };
    case 'remove-schemas':
      return { action, schemaIds: member(object, 'schema-ids', asArrayOf(asInt), where) };
    case 'set-statistics':
      return { action, file: member(object, 'statistics', parseStatisticsFile, where) };
    case 'set-partition-statistics':
      return { action, file: member(object, 'partition-statistics', parseStatisticsFile, where) };
    case 'remove-statistics':
    case 'remove-partition-statistics':
      return { action, snapshotId: member(object, 'snapshot-id', asLong, where) };
    case 'add-encryption-key': {
      const key = member(object, 'encryption-key', asObject, where);
      return { action, key: { keyId: member(key, 'key-id', asString, where), json: key } };
    }
    case 'remove-encryption-key':
      return { action, keyId: member(object, 'key-id', asString, where) };
    default:
      throw new IcecoreError('BAD_USER_INPUT', `There is no table update ${action}.`);
  }
}

/** Clients of before 1.0 call the member by its former name. */
function nameOf(object: JsonObject, name: string, former: string): string {
  return !Object.hasOwn(object, name) && Object.hasOwn(object, former) ? former : name;
}

function asFormatVersion(value: unknown, where: string): 1 | 2 | 3 {
  if (value === 1 || value === 2 || value === 3) return value;
  throw new IcecoreError('BAD_USER_INPUT', `${where} must be between 1 and ${formatVersionMax}, and is ${String(value)}.`);
}

function parseStatisticsFile(json: unknown, where: string): StatisticsFile {
  const object = asObject(json, where);
  return { snapshotId: member(object, 'snapshot-id', asLong, where), json: object };
}

/** The wire form of a change; print with `printJson`. */
export function printTableUpdate(update: TableUpdate): JsonObject {
  const { action } = update;
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid };
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion };
    case 'add-schema':
      return {
        action,
        schema: printSchema(update.schema),
        ...(update.lastColumnId === undefined ? {} : { 'last-column-id': update.lastColumnId }),
      };
    case 'set-current-schema':
      return { action, 'schema-id': update.schemaId };
    case 'add-spec':
      return { action, spec: printPartitionSpec(update.spec) };
    case 'set-default-spec':
      return { action, 'spec-id': update.specId };
    case 'add-sort-order':
      return { action, 'sort-order': printSortOrder(update.sortOrder) };
    case 'set-default-sort-order':
      return { action, 'sort-order-id': update.sortOrderId };
    case 'add-snapshot':
      return { action, snapshot: printSnapshot(update.snapshot, 2) };
    case 'set-snapshot-ref':
      return { action, 'ref-name': update.refName, ...printSnapshotRef(update.ref) };
    case 'remove-snapshots':
      return { action, 'snapshot-ids': update.snapshotIds };
    case 'remove-snapshot-ref':
      return { action, 'ref-name': update.refName };
    case 'set-location':
      return { action, location: update.location };
    case 'set-properties':
      return { action, updates: update.updates };
    case 'remove-properties':
      return { action, removals: update.removals };
    case 'remove-partition-specs':
      return { action, 'spec-ids': update.specIds };
    case 'remove-schemas':
      return { action, 'schema-ids': update.schemaIds };
    case 'set-statistics':
      return { action, statistics: update.file.json };
    case 'set-partition-statistics':
      return { action, 'partition-statistics': update.file.json };
    case 'remove-statistics':
    case 'remove-partition-statistics':
      return { action, 'snapshot-id': update.snapshotId };
    case 'add-encryption-key':
      return { action, 'encryption-key': update.key.json };
    case 'remove-encryption-key':
      return { action, 'key-id': update.keyId };
  }
}
