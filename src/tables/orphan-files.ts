import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { orphanAgeMsMin, orphanFilesListedMax, orphanFilesRemovedAtOnce } from '../limits.ts';
import { canonicalLocation, liesUnder, parseLocation } from '../storage/location.ts';
import { requireGarbageCollection } from './garbage-collection.ts';
import { nestedTables } from './nested-tables.ts';
import { liveFilesOf, manifestsOf } from './reachable.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface OrphanRemoval {
  readonly identifier: TableIdentifier;
  /** Files written after this stay: a commit under way may be about to refer to them. At least a day before now. */
  readonly olderThanMs: number;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface OrphanOutcome {
  readonly table: Table;
  /** The first of them. */
  readonly files: readonly string[];
  readonly fileCount: number;
  readonly bytes: bigint;
  /** Whether there were more than `files` lists. */
  readonly truncated: boolean;
}

/**
 * Removes files under a table's location that no snapshot and no metadata of it refers to, such as those of a writer that crashed. What
 * another table or a view has below this one's location is left alone. Throws BAD_USER_INPUT where the window is too short to be safe,
 * FAILED_PRECONDITION where `gc.enabled` is false.
 */
export async function removeOrphanFiles(tables: Tables, request: OrphanRemoval): Promise<OrphanOutcome> {
  const latestMs = nowMs(tables.clock) - orphanAgeMsMin;
  if (request.olderThanMs > latestMs) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Orphan files of ${printIdentifier(request.identifier)} can be removed where they are older than a day: writers under way may need younger ones. Set olderThan to ${new Date(latestMs).toISOString()} or earlier.`,
    );
  }
  const table = await tables.load(request.identifier);
  const what = `Cannot delete orphan files of ${printIdentifier(table.identifier)}`;
  requireGarbageCollection(table.metadata, what, 'Set gc.enabled to true where no other table has files here.');
  const nested = await nestedTables(tables, table.metadata.location, table.uuid);
  const known = await tables.access.asServer(() => knownFiles(tables, table, request.signal));
  const files: string[] = [];
  let fileCount = 0;
  let bytes = 0n;
  let waiting: string[] = [];
  const remove = async () => {
    if (request.dryRun !== true) await tables.storage.remove(waiting);
    waiting = [];
  };
  for await (const file of tables.storage.list(`${table.metadata.location}/`, request.signal)) {
    if (file.modifiedMs >= request.olderThanMs || known.has(canonicalLocation(file.location))) continue;
    const location = parseLocation(file.location);
    if (nested.some((root) => liesUnder(location, root))) continue;
    fileCount++;
    bytes += BigInt(file.sizeBytes);
    if (files.length < orphanFilesListedMax) files.push(file.location);
    waiting.push(file.location);
    if (waiting.length >= orphanFilesRemovedAtOnce) await remove();
  }
  await remove();
  return { table, files, fileCount, bytes, truncated: fileCount > files.length };
}

async function knownFiles(tables: Tables, table: Table, signal: AbortSignal | undefined): Promise<ReadonlySet<string>> {
  const { metadata } = table;
  const known = new Set<string>();
  const add = (location: string) => {
    if (location !== '') known.add(canonicalLocation(location));
  };
  add(table.metadataLocation);
  for (const entry of metadata.metadataLog) add(entry.metadataFile);
  for (const location of statisticsFiles(metadata)) add(location);
  for (const snapshot of metadata.snapshots) add(snapshot.manifestList);
  const manifests = await manifestsOf(tables.files, metadata, metadata.snapshots, signal);
  for (const path of manifests.keys()) add(path);
  for await (const path of liveFilesOf(tables.files, metadata, manifests.values(), signal)) add(path);
  return known;
}

/** Puffin and partition statistics, which this code does not interpret. */
function statisticsFiles(metadata: TableMetadata): readonly string[] {
  return ['statistics', 'partition-statistics'].flatMap((name) => {
    const list = metadata.extra[name];
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: unknown) => {
      const path = typeof item === 'object' && item !== null && 'statistics-path' in item ? item['statistics-path'] : undefined;
      return typeof path === 'string' ? [path] : [];
    });
  });
}
