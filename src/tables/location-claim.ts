import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import { everyPointer } from './every-pointer.ts';
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
  const { access } = tables;
  const isChosenHere = location === newTableLocation(tables.warehouse, identifier, uuid);
  // Unique by the uuid in it; where callers are told apart, somebody may nonetheless have taken a place around it.
  if (isChosenHere && !access.inForce) return;
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
  if (!isChosenHere && liesUnder(claimed, warehouse) && !liesBelowNamespace(tables, identifier, claimed)) {
    refuse('is not in the directory of its namespace, and other namespaces are not for this caller to build in');
  }
  const own = parseLocation(`${tables.warehouse.replace(/\/+$/, '')}/${ownNamespace}`);
  if (identifier.namespace[0] !== ownNamespace && liesUnder(claimed, own)) refuse("is among this server's own tables");
  const name = printIdentifier(identifier);
  for await (const pointer of everyPointer(tables, 'table')) {
    if (pointer.uuid === uuid || printIdentifier(pointer.identifier) === name) continue;
    const other = placeOf(pointer.metadataLocation);
    if (liesUnder(claimed, other) || liesUnder(other, claimed)) refuse('is shared with another table');
  }
}

/** Where later tables of other namespaces will be, only who may write there may settle. */
function liesBelowNamespace({ access, warehouse }: Tables, { namespace }: TableIdentifier, claimed: Location): boolean {
  if (access.mayWriteAll()) return true;
  const directory = newTableLocation(warehouse, { namespace, name: '' }, '').replace(/\/-$/, '');
  return liesUnder(claimed, parseLocation(directory)) && !liesUnder(parseLocation(directory), claimed);
}

/** Where the table of a metadata file is: `<location>/metadata/<file>` is how every writer names a metadata file, unless told otherwise. */
export function placeOf(metadataLocation: string): Location {
  const parsed = parseLocation(metadataLocation);
  const up = (path: string) => path.replace(/(\/metadata)?\/[^/]*$/, '');
  return parsed.scheme === 'file' ? { ...parsed, path: up(parsed.path) } : { ...parsed, key: up(parsed.key) };
}
