import { IcecoreError } from '../errors.ts';
import { metadataUpdatesMax } from '../limits.ts';
import { type Schema, sameSchema } from './schema.ts';
import { sqlDialects, type ViewLogEntry, type ViewMetadata, type ViewVersion, viewVersionById } from './view.ts';
import type { ViewRequirement, ViewUpdate } from './view-update.ts';
import { currentDialects, keptVersions, refuseLostDialects } from './view-version-rules.ts';

/** Metadata on its way through a list of updates: what `-1`, "the one added last", means, and what was added on the way. */
interface ViewDraft {
  readonly metadata: ViewMetadata;
  /** The metadata before the first update; null for a view that is being created. */
  readonly base: ViewMetadata | null;
  readonly nowMs: number;
  readonly lastAddedSchemaId: number | null;
  readonly lastAddedVersionId: number | null;
  readonly addedVersionIds: ReadonlySet<number>;
  /** What the version log is to get; several versions made current in one commit leave one entry, the last. */
  readonly logEntry: ViewLogEntry | null;
}

/** What a view is before anything is known of it. */
const emptyView: ViewMetadata = {
  viewUuid: '',
  formatVersion: 1,
  location: '',
  schemas: [],
  currentVersionId: -1,
  versions: [],
  versionLog: [],
  properties: {},
  extra: {},
};

/**
 * The metadata after the updates, in their order; the same object where they change nothing. `metadata` is null for a view that
 * the updates create. A version or schema equal to one that is there takes its place under its id. `nowMs` is when an older version
 * became current again. Throws BAD_USER_INPUT for a change that can never be made, such as one that loses a dialect of the current
 * version while `replace.drop-dialect.allowed` is not true (texts as of the reference implementation).
 */
export function applyViewUpdates(metadata: ViewMetadata | null, updates: readonly ViewUpdate[], nowMs: number): ViewMetadata {
  const begun: ViewDraft = {
    metadata: metadata ?? emptyView,
    base: metadata,
    nowMs,
    lastAddedSchemaId: null,
    lastAddedVersionId: null,
    addedVersionIds: new Set(),
    logEntry: null,
  };
  if (updates.length > metadataUpdatesMax) {
    throw refuse(`A commit may make ${metadataUpdatesMax} changes to a view, not ${updates.length}: commit them in parts`);
  }
  const draft = updates.reduce(applyUpdate, begun);
  if (metadata !== null && draft.metadata === metadata) return metadata;
  return settled(draft);
}

/** Throws CONFLICT (not retryable: it is another view) unless all of it holds. The texts are the reference implementation's. */
export function checkViewRequirements(metadata: ViewMetadata, requirements: readonly ViewRequirement[]): void {
  for (const { type, uuid } of requirements) {
    if (uuid.toLowerCase() === metadata.viewUuid.toLowerCase()) continue;
    throw new IcecoreError('CONFLICT', `Requirement failed: view UUID does not match: expected ${metadata.viewUuid} != ${uuid}`, {
      context: { requirement: type },
    });
  }
}

function applyUpdate(draft: ViewDraft, update: ViewUpdate): ViewDraft {
  const { metadata } = draft;
  switch (update.action) {
    case 'assign-uuid':
      if (draft.base !== null && update.uuid !== metadata.viewUuid) throw refuse('Cannot reassign uuid');
      return draft.base === null ? withMembers(draft, { viewUuid: update.uuid }) : draft;
    case 'upgrade-format-version':
      return draft;
    case 'add-schema':
      return addSchema(draft, update.schema);
    case 'set-location':
      return setLocation(draft, update.location);
    case 'set-properties':
      if (Object.keys(update.updates).length === 0) return draft;
      return withMembers(draft, { properties: { ...metadata.properties, ...update.updates } });
    case 'remove-properties': {
      const removed = new Set(update.removals);
      const kept = Object.entries(metadata.properties).filter(([name]) => !removed.has(name));
      return update.removals.length === 0 ? draft : withMembers(draft, { properties: Object.fromEntries(kept) });
    }
    case 'add-view-version':
      return addVersion(draft, update.version);
    case 'set-current-view-version':
      return setCurrentVersion(draft, update.versionId);
  }
}

function addSchema(draft: ViewDraft, schema: Schema): ViewDraft {
  const { schemas } = draft.metadata;
  const same = schemas.find((existing) => sameSchema(existing, schema));
  if (same !== undefined) return { ...draft, lastAddedSchemaId: same.schemaId };
  const schemaId = schemas.reduce((next, existing) => Math.max(next, existing.schemaId + 1), 0);
  return { ...withMembers(draft, { schemas: [...schemas, { ...schema, schemaId }] }), lastAddedSchemaId: schemaId };
}

function setLocation(draft: ViewDraft, given: string): ViewDraft {
  const location = given.replace(/(?<=[^/])\/$/, '');
  if (location === '') throw refuse('Invalid location: (empty string)');
  return location === draft.metadata.location ? draft : withMembers(draft, { location });
}

function addVersion(draft: ViewDraft, given: ViewVersion): ViewDraft {
  const { metadata } = draft;
  const schemaId = given.schemaId === -1 ? draft.lastAddedSchemaId : given.schemaId;
  if (schemaId === null) throw refuse('Cannot set last added schema: no schema has been added');
  const version = { ...given, schemaId };
  const same = metadata.versions.find((existing) => sameVersion(existing, version));
  if (same !== undefined) return { ...draft, lastAddedVersionId: same.versionId };
  if (!metadata.schemas.some((schema) => schema.schemaId === schemaId)) {
    throw refuse(`Cannot add version with unknown schema: ${schemaId}`);
  }
  refuseTwins(version);
  const versionId = metadata.versions.reduce((next, existing) => Math.max(next, existing.versionId + 1), version.versionId);
  return {
    ...withMembers(draft, { versions: [...metadata.versions, { ...version, versionId }] }),
    lastAddedVersionId: versionId,
    addedVersionIds: new Set([...draft.addedVersionIds, versionId]),
  };
}

function setCurrentVersion(draft: ViewDraft, given: number): ViewDraft {
  const versionId = given === -1 ? draft.lastAddedVersionId : given;
  if (versionId === null) throw refuse('Cannot set last version id: no current version id has been set');
  if (versionId === draft.metadata.currentVersionId) return draft;
  const version = viewVersionById(draft.metadata, versionId);
  if (version === undefined) throw refuse(`Cannot set current version to unknown version: ${versionId}`);
  const timestampMs = draft.addedVersionIds.has(versionId) ? version.timestampMs : draft.nowMs;
  return { ...withMembers(draft, { currentVersionId: versionId }), logEntry: { timestampMs, versionId } };
}

/** What holds of the whole: a place, a current version, no dialect lost, and no more history than the properties want. */
function settled({ metadata, base, addedVersionIds, logEntry }: ViewDraft): ViewMetadata {
  if (metadata.viewUuid === '') throw refuse('Invalid view: it has no uuid');
  if (metadata.location === '') throw refuse('Invalid location: null');
  if (metadata.versions.length === 0) throw refuse('Invalid view: no versions were added');
  const current = viewVersionById(metadata, metadata.currentVersionId);
  if (current === undefined) throw refuse('Invalid view: none of its versions is the current one');
  if (base !== null) refuseLostDialects(currentDialects(base), sqlDialects(current), metadata.properties);
  const versionLog = logEntry === null ? metadata.versionLog : [...metadata.versionLog, logEntry];
  return { ...metadata, ...keptVersions({ ...metadata, versionLog }, addedVersionIds) };
}

/** Whether two versions would behave the same: their ids and times do not count. */
function sameVersion(left: ViewVersion, right: ViewVersion): boolean {
  const text = ({ summary, representations, defaultCatalog, defaultNamespace, schemaId }: ViewVersion): string => {
    const sorted = Object.entries(summary).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([sorted, representations, defaultCatalog, defaultNamespace, schemaId]);
  };
  return text(left) === text(right);
}

function refuseTwins(version: ViewVersion): void {
  const dialects = sqlDialects(version);
  const twin = dialects.find((dialect, index) => dialects.indexOf(dialect) !== index);
  if (twin !== undefined) throw refuse(`Invalid view version: Cannot add multiple queries for dialect ${twin}`);
}

function withMembers(draft: ViewDraft, members: Partial<ViewMetadata>): ViewDraft {
  return { ...draft, metadata: { ...draft.metadata, ...members } };
}

function refuse(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message, { context: { isIllegalArgument: true } });
}
