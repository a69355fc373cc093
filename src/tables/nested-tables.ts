import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import { everyPointer } from './every-pointer.ts';
import type { Tables } from './tables.ts';

/** Where tables and views are that lie below a location, as their metadata files tell; without the table of this uuid. */
export async function nestedTables(tables: Tables, below: string, exceptUuid: string | null): Promise<readonly Location[]> {
  const own = parseLocation(below);
  const roots: Location[] = [];
  for await (const { uuid, metadataLocation } of everyPointer(tables, 'table')) {
    const metadataFile = parseLocation(metadataLocation);
    if (uuid === exceptUuid || !liesUnder(metadataFile, own)) continue;
    roots.push(parseLocation((await tables.files.metadata(metadataLocation)).location), parent(metadataFile));
  }
  // All that a view has lies beside its metadata.
  for await (const { metadataLocation } of everyPointer(tables, 'view')) {
    const metadataFile = parseLocation(metadataLocation);
    if (liesUnder(metadataFile, own)) roots.push(parent(metadataFile));
  }
  return roots;
}

function parent(location: Location): Location {
  const up = (path: string) => path.slice(0, path.lastIndexOf('/'));
  return location.scheme === 'file' ? { ...location, path: up(location.path) } : { ...location, key: up(location.key) };
}
