import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import { newTableLocation } from './table-location.ts';
import type { Tables } from './tables.ts';

/** The namespace of Icecore's own tables. */
const ownNamespace = 'icecore';

/**
 * Throws FORBIDDEN where a table would share its location with another table, lie within it or around it: who may write one could then
 * read, change and purge the other. Where a table of that name is replaced, its own place does not count. A table's place is
 * judged by where its metadata file is, so that no file has to be read.
 */
export async function requireUnclaimedLocation(
  tables: Tables,
  identifier: TableIdentifier,
  uuid: string,
  location: string,
): Promise<void> {
  // Chosen by this server, and unique by the uuid in it.
  if (location === newTableLocation(tables.warehouse, identifier, uuid)) return;
  const claimed = parseLocation(location);
  const refuse = (whose: string): never => {
    throw new IcecoreError(
      'FORBIDDEN',
      `The location of ${printIdentifier(identifier)}, ${location}, ${whose}: give every table a directory of its own.`,
      { context: { location } },
    );
  };
  const warehouse = parseLocation(tables.warehouse);
  if (liesUnder(warehouse, claimed)) refuse('holds the whole warehouse');
  const own = parseLocation(`${tables.warehouse.replace(/\/+$/, '')}/${ownNamespace}`);
  if (identifier.namespace[0] !== ownNamespace && liesUnder(claimed, own)) refuse("is among this server's own tables");
  const name = printIdentifier(identifier);
  let after: string | undefined;
  for (;;) {
    const page = { limit: 1000, ...(after === undefined ? {} : { after }) };
    // Of everybody: a table is in the way whether or not the caller may see it.
    const pointers = await tables.access.asServer(() => tables.catalog.list(page));
    for (const pointer of pointers) {
      if (pointer.uuid === uuid || printIdentifier(pointer.identifier) === name) continue;
      const other = placeOf(pointer.metadataLocation);
      if (liesUnder(claimed, other) || liesUnder(other, claimed)) refuse('is shared with another table');
    }
    const last = pointers.at(-1);
    if (last === undefined || pointers.length < 1000) return;
    after = printIdentifier(last.identifier);
  }
}

/** `<location>/metadata/<file>` is how every writer names a metadata file, unless told otherwise. */
function placeOf(metadataLocation: string): Location {
  const parsed = parseLocation(metadataLocation);
  const up = (path: string) => path.replace(/(\/metadata)?\/[^/]*$/, '');
  return parsed.scheme === 'file' ? { ...parsed, path: up(parsed.path) } : { ...parsed, key: up(parsed.key) };
}
