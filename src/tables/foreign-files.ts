import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { type Location, liesUnder, parseLocation } from '../storage/location.ts';
import { everyPointer } from './every-pointer.ts';
import { placeOf } from './location-claim.ts';
import type { Tables } from './tables.ts';

/**
 * Throws FORBIDDEN where a table's files that lie outside of its own location are not for the caller at hand: who may write a table could
 * otherwise name another one's files in it, and read those. They may be read where all tables may be that have their place there; files
 * that are in no table's place, by who may read every table, and where the table's own properties put them.
 */
export async function requireReadableFiles(
  tables: Tables,
  metadata: Pick<TableMetadata, 'location' | 'properties'>,
  files: readonly string[],
): Promise<void> {
  if (tables.access.permissions.unrestricted) return;
  const foreign = files.filter((file) => !isUnder(file, metadata.location));
  if (foreign.length === 0) return;
  const places = [metadata.properties['write.data.path'], metadata.properties['write.metadata.path']];
  await judge(tables, foreign, (file) => places.some((place) => place !== undefined && isUnder(file, place)));
}

/** The same for a file that is of no table yet, such as one that is to be registered. */
export async function requireReadableFile(tables: Tables, file: string): Promise<void> {
  if (!tables.access.permissions.unrestricted) await judge(tables, [file], () => false);
}

/**
 * Throws FAILED_PRECONDITION where rows that are about to be written anew as a table's own lie in another table's place, and callers are told
 * apart: who may read both would bring them to those who may read the one.
 */
export async function requireOwnRows(
  tables: Tables,
  { location }: Pick<TableMetadata, 'location'>,
  files: readonly string[],
): Promise<void> {
  if (!tables.access.inForce) return;
  const foreign = files.filter((file) => !isUnder(file, location)).map(parseLocation);
  if (foreign.length === 0) return;
  for await (const { place } of placesOf(tables)) {
    if (!foreign.some((file) => liesUnder(file, place))) continue;
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      'Files of the table lie in the place of another table, and are not written anew as its own. Copy the rows that are meant by writeRows, from a SELECT.',
    );
  }
}

async function judge(tables: Tables, files: readonly string[], isExpected: (file: string) => boolean): Promise<void> {
  const owned = new Set<string>();
  const parsed = files.map((file) => [file, parseLocation(file)] as const);
  for await (const { place, isReadable } of placesOf(tables)) {
    for (const [file, location] of parsed) {
      if (!liesUnder(location, place)) continue;
      if (!isReadable) throw refusal();
      owned.add(file);
    }
  }
  if (tables.access.mayReadAll() || files.every((file) => owned.has(file) || isExpected(file))) return;
  throw refusal();
}

async function* placesOf(tables: Tables): AsyncGenerator<{ readonly place: Location; readonly isReadable: boolean }> {
  for await (const { identifier, metadataLocation } of everyPointer(tables, 'table')) {
    yield { place: placeOf(metadataLocation), isReadable: tables.access.mayRead(identifier) };
  }
}

function isUnder(file: string, root: string): boolean {
  // By the text where that says it: this is asked of every file of a read.
  if (file.startsWith(root.endsWith('/') ? root : `${root}/`) && !/\/\.{0,2}\//.test(file.slice(root.length))) return true;
  try {
    return liesUnder(parseLocation(file), parseLocation(root));
  } catch {
    return false;
  }
}

/** Says of no file where it lies, or whose it is. */
function refusal(): IcecoreError {
  return new IcecoreError(
    'FORBIDDEN',
    'A file of the table lies outside of its location, where this caller may read nothing. Have the table compacted by who may, or ask for a grant.',
  );
}
