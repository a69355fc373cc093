import { IcecoreError } from '../errors.ts';
import { metadataUpdatesMax } from '../limits.ts';
import { formatVersionMax, type MetadataLogEntry, type TableMetadata } from './metadata.ts';
import { checkMetadata } from './metadata-check.ts';
import { beginDraft, type MetadataDraft, refuseUpdate, withMembers } from './metadata-draft.ts';
import { addSnapshot, removeSnapshotRef, removeSnapshots, setSnapshotRef, settleSnapshotLog } from './snapshot-update.ts';
import { addEncryptionKey, removeEncryptionKey, removeStatistics, setStatistics } from './statistics-update.ts';
import {
  addSchema,
  addSortOrder,
  addSpec,
  checkDefaults,
  removeSchemas,
  removeSpecs,
  setCurrentSchema,
  setDefaultSortOrder,
  setDefaultSpec,
} from './structure-update.ts';
import { storedProperties } from './table-property.ts';
import type { TableUpdate } from './table-update.ts';
import { uuidBytes } from './uuid.ts';

/**
 * The metadata after the updates, in their order; the same object where they change nothing. `metadata` is null for a table
 * that the updates create. `nowMs` becomes `lastUpdatedMs`. Throws BAD_USER_INPUT for a change that can never be made, and
 * CONFLICT (retryable) for a snapshot that another commit overtook.
 */
export function applyUpdates(metadata: TableMetadata | null, updates: readonly TableUpdate[], nowMs: number): TableMetadata {
  const joined = joinedRemovals(updates);
  if (joined.length > metadataUpdatesMax) {
    throw refuseUpdate(`a commit may make ${metadataUpdatesMax} changes to it, not ${joined.length}: commit them in parts`);
  }
  const draft = joined.reduce(applyUpdate, beginDraft(metadata, nowMs));
  if (metadata !== null && draft.metadata === metadata) return metadata;
  const snapshotLog = settleSnapshotLog(draft);
  const newestMs = snapshotLog.at(-1)?.timestampMs ?? 0;
  const changed: TableMetadata = { ...draft.metadata, snapshotLog, lastUpdatedMs: Math.max(nowMs, newestMs) };
  if (changed.location === '') throw refuseUpdate('the table has no location');
  checkMetadata(changed);
  checkDefaults(draft);
  return changed;
}

/** Expiry in the reference removes thousands of snapshots by an update each: one after the other, each would copy all that are left. */
function joinedRemovals(updates: readonly TableUpdate[]): readonly TableUpdate[] {
  const joined: TableUpdate[] = [];
  let ids: bigint[] | null = null;
  for (const update of updates) {
    if (update.action !== 'remove-snapshots') {
      ids = null;
      joined.push(update);
    } else if (ids === null) {
      ids = [...update.snapshotIds];
      joined.push({ action: 'remove-snapshots', snapshotIds: ids });
    } else {
      for (const id of update.snapshotIds) ids.push(id);
    }
  }
  return joined;
}

function applyUpdate(draft: MetadataDraft, update: TableUpdate): MetadataDraft {
  const { metadata } = draft;
  switch (update.action) {
    case 'assign-uuid':
      if (draft.base !== null && update.uuid !== metadata.tableUuid) {
        throw refuseUpdate(`its uuid is ${metadata.tableUuid} for good, and cannot become ${update.uuid}`);
      }
      if (draft.base !== null) return draft;
      uuidBytes(update.uuid);
      return withMembers(draft, { tableUuid: update.uuid });
    case 'upgrade-format-version':
      return upgradeFormatVersion(draft, update.formatVersion);
    case 'add-schema':
      return addSchema(draft, update.schema, update.lastColumnId);
    case 'set-current-schema':
      return setCurrentSchema(draft, update.schemaId);
    case 'add-spec':
      return addSpec(draft, update.spec);
    case 'set-default-spec':
      return setDefaultSpec(draft, update.specId);
    case 'add-sort-order':
      return addSortOrder(draft, update.sortOrder);
    case 'set-default-sort-order':
      return setDefaultSortOrder(draft, update.sortOrderId);
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot);
    case 'set-snapshot-ref':
      return setSnapshotRef(draft, update.refName, update.ref);
    case 'remove-snapshots':
      return removeSnapshots(draft, update.snapshotIds);
    case 'remove-snapshot-ref':
      return removeSnapshotRef(draft, update.refName);
    case 'set-location':
      return setLocation(draft, update.location.replace(/(?<=[^/])\/$/, ''));
    case 'set-properties': {
      const updates = storedProperties(update.updates);
      if (Object.keys(updates).length === 0) return draft;
      return withMembers(draft, { properties: { ...metadata.properties, ...updates } });
    }
    case 'remove-properties': {
      if (update.removals.length === 0) return draft;
      const removed = new Set(update.removals);
      const kept = Object.entries(metadata.properties).filter(([name]) => !removed.has(name));
      return withMembers(draft, { properties: Object.fromEntries(kept) });
    }
    case 'remove-partition-specs':
      return removeSpecs(draft, update.specIds);
    case 'remove-schemas':
      return removeSchemas(draft, update.schemaIds);
    case 'set-statistics':
      return setStatistics(draft, 'statistics', update.file);
    case 'set-partition-statistics':
      return setStatistics(draft, 'partition-statistics', update.file);
    case 'remove-statistics':
      return removeStatistics(draft, 'statistics', update.snapshotId);
    case 'remove-partition-statistics':
      return removeStatistics(draft, 'partition-statistics', update.snapshotId);
    case 'add-encryption-key':
      return addEncryptionKey(draft, update.key);
    case 'remove-encryption-key':
      return removeEncryptionKey(draft, update.keyId);
    default:
      throw new IcecoreError('BAD_USER_INPUT', `There is no table update ${(update as { action: string }).action}.`);
  }
}

function setLocation(draft: MetadataDraft, location: string): MetadataDraft {
  return location === draft.metadata.location ? draft : withMembers(draft, { location });
}

function upgradeFormatVersion(draft: MetadataDraft, formatVersion: 1 | 2 | 3): MetadataDraft {
  if (formatVersion > formatVersionMax) throw refuseUpdate(`format version ${formatVersion} is above ${formatVersionMax}`);
  // A table that does not exist yet has no version to fall behind.
  if (draft.base !== null && formatVersion < draft.metadata.formatVersion) {
    throw refuseUpdate(`it is of format version ${draft.metadata.formatVersion}, and cannot go back to ${formatVersion}`);
  }
  if (formatVersion === draft.metadata.formatVersion) return draft;
  return withMembers(draft, formatVersion === 3 ? { formatVersion, nextRowId: 0n } : { formatVersion });
}

const previousVersionsMaxDefault = 100;

/**
 * The metadata with the file that it comes after in its log. At most
 * `write.metadata.previous-versions-max` entries stay, 100 by default (spec: "Table Metadata", `metadata-log`).
 */
export function withPreviousMetadata(
  metadata: TableMetadata,
  previousLocation: string,
  previousLastUpdatedMs: number,
): TableMetadata {
  const setting = Number.parseInt(metadata.properties['write.metadata.previous-versions-max'] ?? '', 10);
  const entriesMax = Math.max(1, Number.isNaN(setting) ? previousVersionsMaxDefault : setting);
  const entry: MetadataLogEntry = { metadataFile: previousLocation, timestampMs: previousLastUpdatedMs };
  return { ...metadata, metadataLog: [...metadata.metadataLog, entry].slice(-entriesMax) };
}
