import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import type { TableUpdate } from '../iceberg/table-update.ts';
import { type AllowedLocations, requireAllowedLocation, requireReachableLocation } from '../storage/allowed-locations.ts';
import { liesUnder, parseLocation } from '../storage/location.ts';
import { requireNoClientProperties } from './client-properties.ts';
import { requireUnclaimedLocation } from './location-claim.ts';
import type { Tables } from './tables.ts';

/** Properties by which writers are told where to put files (spec: "Table Behavior Properties", and those they replaced). */
export const locationProperties: readonly string[] = [
  'write.data.path',
  'write.metadata.path',
  'write.object-storage.path',
  'write.folder-storage.path',
];

/**
 * Judges every location that a change of a table names. Gives the updates with locations as they are kept. Throws FORBIDDEN or
 * BAD_USER_INPUT, naming the location and what it is of; FORBIDDEN also for a new location that another table has, and for properties that
 * would lead clients elsewhere.
 */
export async function checkedUpdates(
  tables: Tables,
  identifier: TableIdentifier,
  base: TableMetadata,
  updates: readonly TableUpdate[],
): Promise<readonly TableUpdate[]> {
  const { locations } = tables;
  if (locations === null) return updates;
  const of = `of ${printIdentifier(identifier)}`;
  const kept: TableUpdate[] = [];
  for (const update of updates) {
    switch (update.action) {
      case 'set-location': {
        const location = await requireReachableLocation(locations, update.location, `The location ${of}`);
        if (location !== base.location) await requireUnclaimedLocation(tables, identifier, base.tableUuid, location);
        kept.push({ ...update, location });
        continue;
      }
      case 'set-properties':
        requireNoClientProperties(update.updates, printIdentifier(identifier));
        await requirePropertyLocations(tables, locations, { identifier, ...base }, update.updates);
        break;
      case 'add-snapshot':
        requireSnapshotLocations(locations, of, update.snapshot);
        break;
      case 'set-statistics':
      case 'set-partition-statistics':
        requireStatisticsLocation(locations, of, update.file.json);
        break;
      default:
    }
    kept.push(update);
  }
  return kept;
}

/** The same for metadata that comes whole: of a table that is created, staged or registered. */
export async function checkLocations(tables: Tables, identifier: TableIdentifier, metadata: TableMetadata): Promise<void> {
  const { locations } = tables;
  if (locations === null) return;
  const of = `of ${printIdentifier(identifier)}`;
  const location = await requireReachableLocation(locations, metadata.location, `The location ${of}`);
  await requireUnclaimedLocation(tables, identifier, metadata.tableUuid, location);
  requireNoClientProperties(metadata.properties, printIdentifier(identifier));
  await requirePropertyLocations(tables, locations, { identifier, ...metadata }, metadata.properties);
  for (const snapshot of metadata.snapshots) requireSnapshotLocations(locations, of, snapshot);
  for (const name of ['statistics', 'partition-statistics']) {
    const files = metadata.extra[name];
    if (Array.isArray(files)) for (const file of files) requireStatisticsLocation(locations, of, file);
  }
}

async function requirePropertyLocations(
  tables: Tables,
  locations: AllowedLocations,
  table: Pick<TableMetadata, 'tableUuid' | 'location'> & { readonly identifier: TableIdentifier },
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  for (const property of locationProperties) {
    const location = Object.hasOwn(properties, property) ? properties[property] : undefined;
    if (location === undefined) continue;
    const reached = await requireReachableLocation(
      locations,
      location,
      `The property ${property} of ${printIdentifier(table.identifier)}`,
    );
    // Tables of one writer may share a directory for their files; those of others are not to be settled in.
    const isWithin = liesUnder(parseLocation(reached), parseLocation(table.location));
    if (isWithin || tables.access.mayWriteAll()) continue;
    await requireUnclaimedLocation(tables, table.identifier, table.tableUuid, reached);
  }
}

/** Their text alone: storage follows links when it reads. */
function requireSnapshotLocations(locations: AllowedLocations, of: string, snapshot: Snapshot): void {
  for (const path of [snapshot.manifestList, ...(snapshot.manifests ?? [])]) {
    if (path !== '') requireAllowedLocation(locations, path, `The manifest list of snapshot ${snapshot.snapshotId} ${of}`);
  }
}

function requireStatisticsLocation(locations: AllowedLocations, of: string, file: unknown): void {
  if (typeof file !== 'object' || file === null || !('statistics-path' in file)) return;
  if (typeof file['statistics-path'] !== 'string') return;
  requireAllowedLocation(locations, file['statistics-path'], `A statistics file ${of}`);
}
