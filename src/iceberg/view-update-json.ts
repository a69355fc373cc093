import { IcecoreError } from '../errors.ts';
import { asArrayOf, asInt, asObject, asRecordOf, asString, type JsonObject, member } from './json-member.ts';
import { parseSchema, printSchema } from './schema-json.ts';
import { asViewFormatVersion, parseViewVersion, printViewVersion } from './view-json.ts';
import type { ViewRequirement, ViewUpdate } from './view-update.ts';

/** Reads a change of a view (REST specification: `ViewUpdate`). Throws BAD_USER_INPUT, also for an unknown one. */
export function parseViewUpdate(json: unknown, at = 'the update'): ViewUpdate {
  const object = asObject(json, at);
  const action = member(object, 'action', asString, at);
  const where = `the update ${action}`;
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: member(object, 'uuid', asString, where) };
    case 'upgrade-format-version':
      return { action, formatVersion: member(object, 'format-version', asViewFormatVersion, where) };
    case 'add-schema':
      return { action, schema: member(object, 'schema', parseSchema, where) };
    case 'set-location':
      return { action, location: member(object, 'location', asString, where) };
    case 'set-properties':
      return { action, updates: member(object, 'updates', asRecordOf(asString), where) };
    case 'remove-properties':
      return { action, removals: member(object, 'removals', asArrayOf(asString), where) };
    case 'add-view-version':
      return { action, version: member(object, 'view-version', parseViewVersion, where) };
    case 'set-current-view-version':
      return { action, versionId: member(object, 'view-version-id', asInt, where) };
    default:
      throw new IcecoreError('BAD_USER_INPUT', `There is no view update ${action}.`);
  }
}

/** The wire form of a change; print with `printJson`. */
export function printViewUpdate(update: ViewUpdate): JsonObject {
  const { action } = update;
  switch (action) {
    case 'assign-uuid':
      return { action, uuid: update.uuid };
    case 'upgrade-format-version':
      return { action, 'format-version': update.formatVersion };
    case 'add-schema':
      return { action, schema: printSchema(update.schema) };
    case 'set-location':
      return { action, location: update.location };
    case 'set-properties':
      return { action, updates: update.updates };
    case 'remove-properties':
      return { action, removals: update.removals };
    case 'add-view-version':
      return { action, 'view-version': printViewVersion(update.version) };
    case 'set-current-view-version':
      return { action, 'view-version-id': update.versionId };
  }
}

/** Reads a requirement (REST specification: `ViewRequirement`). Throws BAD_USER_INPUT, also for one that is not known. */
export function parseViewRequirement(json: unknown, at = 'the requirement'): ViewRequirement {
  const object = asObject(json, at);
  const type = member(object, 'type', asString, at);
  if (type !== 'assert-view-uuid') throw new IcecoreError('BAD_USER_INPUT', `There is no view requirement ${type}.`);
  return { type, uuid: member(object, 'uuid', asString, `the requirement ${type}`) };
}

/** The wire form; print with `printJson`. */
export function printViewRequirement({ type, uuid }: ViewRequirement): JsonObject {
  return { type, uuid };
}
