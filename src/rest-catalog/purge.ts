import { reachableFiles } from '../iceberg/reachable-files.ts';
import { objectsRemovedAtOnce } from '../limits.ts';
import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import { requireGarbageCollection } from '../tables/garbage-collection.ts';
import { nestedTables } from '../tables/nested-tables.ts';
import { isOwnFile } from '../tables/reachable.ts';
import { readManifestEntries, readManifestList } from '../tables/snapshot-files.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { plainName } from './refusal.ts';

/** Throws FAILED_PRECONDITION where the table's files may be another table's as well (spec: `gc.enabled`). */
export function refusePurge({ identifier, metadata }: Table): void {
  requireGarbageCollection(metadata, `Cannot purge table ${plainName(identifier)}`, 'Drop it without purging.');
}

/**
 * Removes the files of a table that was dropped: those that its metadata names, and which lie below its location and below no other table's.
 * A location that a client chose may hold files of others, so it is not emptied. What cannot be read or removed stays, and is said in the log.
 */
export async function purgeTable(tables: Tables, table: Table): Promise<void> {
  try {
    const others = await nestedTables(tables, table.metadata.location, null);
    let some: string[] = [];
    const remove = async (): Promise<void> => {
      await tables.storage.remove(some);
      tables.files.forget(some);
      some = [];
    };
    for await (const location of filesOf(tables, table)) {
      if (!isOwnFile(table.metadata, location) || others.some((root) => isBelow(location, root))) continue;
      some.push(location);
      if (some.length >= objectsRemovedAtOnce) await remove();
    }
    await remove();
  } catch (error) {
    process.emitWarning(
      `Files of the dropped table ${plainName(table.identifier)} stay in ${table.metadata.location}: ${String(error)}`,
    );
  }
}

/** Data before what names it, so that a purge that is cut off leaves what a later one could go by. */
async function* filesOf({ files }: Tables, { metadata, metadataLocation }: Table): AsyncGenerator<string> {
  const lists: string[] = [];
  const reachable = reachableFiles({
    snapshots: metadata.snapshots,
    readManifests: (snapshot) => readManifestList(files, metadata, snapshot),
    readEntries: (manifest, projection) => readManifestEntries(files, metadata, manifest, projection),
  });
  for await (const { path, kind } of reachable) {
    if (kind === 'data' || kind === 'deletes') yield path;
    else lists.push(path);
  }
  yield* lists;
  yield* statisticsOf(metadata.extra.statistics);
  yield* statisticsOf(metadata.extra['partition-statistics']);
  for (const { metadataFile } of metadata.metadataLog) yield metadataFile;
  yield metadataLocation;
}

function statisticsOf(files: unknown): readonly string[] {
  if (!Array.isArray(files)) return [];
  return files.map((file: unknown) => {
    const path = typeof file === 'object' && file !== null && 'statistics-path' in file ? file['statistics-path'] : null;
    return typeof path === 'string' ? path : '';
  });
}

function isBelow(location: string, root: Location): boolean {
  return liesUnder(parseLocation(location), root);
}
