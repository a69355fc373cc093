import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from './json.ts';
import {
  asArrayOf,
  asInt,
  asMillis,
  asObject,
  asRecordOf,
  asString,
  type JsonObject,
  member,
  optionalMember,
} from './json-member.ts';
import { parseSchema, printSchema } from './schema-json.ts';
import { unknownMembers } from './snapshot-json.ts';
import {
  type ViewLogEntry,
  type ViewMetadata,
  type ViewRepresentation,
  type ViewVersion,
  viewFormatVersionMax,
  viewVersionById,
} from './view.ts';

const known: ReadonlySet<string> = new Set([
  'view-uuid',
  'format-version',
  'location',
  'schemas',
  'current-version-id',
  'versions',
  'version-log',
  'properties',
]);

/**
 * Reads a view metadata file (view spec: "View Metadata"). `location` is that of the file, for messages. Throws FAILED_PRECONDITION
 * where the file is broken or of a version that is not supported.
 */
export function parseViewMetadata(text: string, location: string): ViewMetadata {
  try {
    return readViewMetadata(parseJson(text));
  } catch (cause) {
    if (!IcecoreError.is(cause)) throw cause;
    throw new IcecoreError('FAILED_PRECONDITION', `The view metadata file ${location} cannot be read. ${cause.message}`, {
      context: { metadataLocation: location },
      cause,
    });
  }
}

/** The same for metadata that came as JSON inside another document. Throws BAD_USER_INPUT. */
function readViewMetadata(json: unknown): ViewMetadata {
  const at = 'the view metadata';
  const object = asObject(json, at);
  const metadata: ViewMetadata = {
    viewUuid: member(object, 'view-uuid', asString, at),
    formatVersion: member(object, 'format-version', asViewFormatVersion, at),
    location: member(object, 'location', asString, at),
    schemas: member(object, 'schemas', asArrayOf(parseSchema), at),
    currentVersionId: member(object, 'current-version-id', asInt, at),
    versions: member(object, 'versions', asArrayOf(parseViewVersion), at),
    versionLog: member(object, 'version-log', asArrayOf(parseLogEntry), at),
    properties: optionalMember(object, 'properties', asRecordOf(asString), at) ?? {},
    extra: unknownMembers(object, known),
  };
  const current = viewVersionById(metadata, metadata.currentVersionId);
  if (current === undefined) {
    throw new IcecoreError('BAD_USER_INPUT', `${at}: the current version ${metadata.currentVersionId} is not among "versions".`);
  }
  if (!metadata.schemas.some(({ schemaId }) => schemaId === current.schemaId)) {
    throw new IcecoreError('BAD_USER_INPUT', `${at}: the current version's schema ${current.schemaId} is not among "schemas".`);
  }
  return metadata;
}

/** Reads a version; -1 as its schema id is kept: what it means, the updates before it say. Throws BAD_USER_INPUT. */
export function parseViewVersion(json: unknown, where: string): ViewVersion {
  const object = asObject(json, where);
  return {
    versionId: member(object, 'version-id', asInt, where),
    schemaId: member(object, 'schema-id', asInt, where),
    timestampMs: member(object, 'timestamp-ms', asMillis, where),
    summary: optionalMember(object, 'summary', asRecordOf(asString), where) ?? {},
    representations: member(object, 'representations', asArrayOf(parseRepresentation), where),
    defaultCatalog: optionalMember(object, 'default-catalog', asString, where) ?? null,
    defaultNamespace: member(object, 'default-namespace', asArrayOf(asString), where),
  };
}

/** The view format versions there are. Throws BAD_USER_INPUT for another. */
export function asViewFormatVersion(value: unknown, where: string): 1 {
  if (value === 1) return value;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${where} must be ${viewFormatVersionMax}. Unsupported format version: ${String(value)}.`,
  );
}

function parseRepresentation(json: unknown, where: string): ViewRepresentation {
  const object = asObject(json, where);
  const type = member(object, 'type', asString, where);
  if (type.toLowerCase() !== 'sql') return { type: 'other', json: object };
  return { type: 'sql', sql: member(object, 'sql', asString, where), dialect: member(object, 'dialect', asString, where) };
}

function parseLogEntry(json: unknown, where: string): ViewLogEntry {
  const object = asObject(json, where);
  return {
    timestampMs: member(object, 'timestamp-ms', asMillis, where),
    versionId: member(object, 'version-id', asInt, where),
  };
}

/** The text of a view metadata file. */
export function printViewMetadata(metadata: ViewMetadata): string {
  return printJson(viewMetadataJson(metadata));
}

/** The same as a value, for documents that hold metadata; print with `printJson`. */
export function viewMetadataJson(metadata: ViewMetadata): JsonObject {
  return {
    'view-uuid': metadata.viewUuid,
    'format-version': metadata.formatVersion,
    location: metadata.location,
    ...(Object.keys(metadata.properties).length === 0 ? {} : { properties: metadata.properties }),
    schemas: metadata.schemas.map(printSchema),
    'current-version-id': metadata.currentVersionId,
    versions: metadata.versions.map(printViewVersion),
    'version-log': metadata.versionLog.map(({ timestampMs, versionId }) => ({
      'timestamp-ms': timestampMs,
      'version-id': versionId,
    })),
    ...metadata.extra,
  };
}

export function printViewVersion(version: ViewVersion): JsonObject {
  return {
    'version-id': version.versionId,
    'timestamp-ms': version.timestampMs,
    'schema-id': version.schemaId,
    summary: version.summary,
    ...(version.defaultCatalog === null ? {} : { 'default-catalog': version.defaultCatalog }),
    'default-namespace': version.defaultNamespace,
    representations: version.representations.map(printRepresentation),
  };
}

function printRepresentation(representation: ViewRepresentation): JsonObject {
  if (representation.type === 'other') return representation.json;
  const { type, sql, dialect } = representation;
  return { type, sql, dialect };
}
