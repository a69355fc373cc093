import { objectsRemovedAtOnce } from '../limits.ts';
import { liesUnder, parseLocation } from '../storage/location.ts';
import { nestedTables } from '../tables/nested-tables.ts';
import type { Tables } from '../tables/tables.ts';

/** Removes everything below the location of a table that was dropped, but what tables and views below it have. Repeated after a crash it removes what is left. */
export async function removeFilesBelow(tables: Tables, location: string): Promise<void> {
  const others = await nestedTables(tables, location, null);
  let locations: string[] = [];
  for await (const object of tables.storage.list(`${location.replace(/\/+$/, '')}/`)) {
    const file = parseLocation(object.location);
    if (others.some((root) => liesUnder(file, root))) continue;
    locations.push(object.location);
    if (locations.length < objectsRemovedAtOnce) continue;
    await tables.storage.remove(locations);
    locations = [];
  }
  await tables.storage.remove(locations);
}
