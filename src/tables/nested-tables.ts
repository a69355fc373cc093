import { printIdentifier } from '../iceberg/identifier.ts';
import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import type { Tables } from './tables.ts';

/** The locations of tables that lie below a location, as their metadata files tell; without the table of this uuid. */
export async function nestedTables(tables: Tables, below: string, exceptUuid: string | null): Promise<readonly Location[]> {
  const own = parseLocation(below);
  const roots: Location[] = [];
  let after: string | undefined;
  for (;;) {
    const page = { limit: 1000, ...(after === undefined ? {} : { after }) };
    // Of everybody: a table is in the way whether or not the caller may see it.
    const pointers = await tables.access.asServer(() => tables.catalog.list(page));
    for (const pointer of pointers) {
      const metadataFile = parseLocation(pointer.metadataLocation);
      if (pointer.uuid === exceptUuid || !liesUnder(metadataFile, own)) continue;
      roots.push(parseLocation((await tables.files.metadata(pointer.metadataLocation)).location), parent(metadataFile));
    }
    const last = pointers.at(-1);
    if (last === undefined || pointers.length < 1000) return roots;
    after = printIdentifier(last.identifier);
  }
}

function parent(location: Location): Location {
  const up = (path: string) => path.slice(0, path.lastIndexOf('/'));
  return location.scheme === 'file' ? { ...location, path: up(location.path) } : { ...location, key: up(location.key) };
}
