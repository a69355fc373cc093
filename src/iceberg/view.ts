import type { JsonObject } from './json-member.ts';
import type { Schema } from './schema.ts';

/** How one dialect says what a view is (view spec: "SQL representation"). Kinds that are not known are kept as they came. */
export type ViewRepresentation =
  | { readonly type: 'sql'; readonly sql: string; readonly dialect: string }
  | { readonly type: 'other'; readonly json: JsonObject };

/** What a view was at one time (view spec: "Versions"). */
export interface ViewVersion {
  readonly versionId: number;
  /** -1 in an update: the schema that was added last. */
  readonly schemaId: number;
  readonly timestampMs: number;
  readonly summary: Readonly<Record<string, string>>;
  readonly representations: readonly ViewRepresentation[];
  /** Null where names without a catalog are meant in the catalog that holds the view. */
  readonly defaultCatalog: string | null;
  readonly defaultNamespace: readonly string[];
}

/** From when on a version was the current one (view spec: "Version log"). */
export interface ViewLogEntry {
  readonly timestampMs: number;
  readonly versionId: number;
}

/** The metadata of a view, format version 1 (view spec: "View Metadata"). */
export interface ViewMetadata {
  readonly viewUuid: string;
  readonly formatVersion: 1;
  readonly location: string;
  readonly schemas: readonly Schema[];
  readonly currentVersionId: number;
  readonly versions: readonly ViewVersion[];
  readonly versionLog: readonly ViewLogEntry[];
  readonly properties: Readonly<Record<string, string>>;
  /** Members that Icecore does not know, kept as they came. */
  readonly extra: JsonObject;
}

export const viewFormatVersionMax = 1;

export function viewVersionById(metadata: ViewMetadata, versionId: number): ViewVersion | undefined {
  return metadata.versions.find((version) => version.versionId === versionId);
}

/** The schema of the current version; undefined only of metadata that was never checked. */
export function currentViewSchema(metadata: ViewMetadata): Schema | undefined {
  const schemaId = viewVersionById(metadata, metadata.currentVersionId)?.schemaId;
  return metadata.schemas.find((schema) => schema.schemaId === schemaId);
}

/** The dialects of a version's SQL, in lower case and in its order: a version has one query for each. */
export function sqlDialects(version: ViewVersion): readonly string[] {
  return version.representations.flatMap((each) => (each.type === 'sql' ? each.dialect.toLowerCase() : []));
}

/** The version's query in a dialect, whose case does not count; null where it has none. */
export function sqlFor(version: ViewVersion, dialect: string): string | null {
  const wanted = dialect.toLowerCase();
  const found = version.representations.find((each) => each.type === 'sql' && each.dialect.toLowerCase() === wanted);
  return found?.type === 'sql' ? found.sql : null;
}
