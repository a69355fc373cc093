import { IcecoreError } from '../../errors.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../../iceberg/identifier.ts';
import type { PointerChange, TablePointer } from '../catalog.ts';
import { type Database, type Row, text } from './database.ts';

const columns = 'namespace, name, uuid, metadata_location';

export function loadPointer(database: Database, identifier: TableIdentifier): TablePointer | null {
  const row = database.row(`SELECT ${columns} FROM pointers WHERE printed = ?`, printIdentifier(identifier));
  return row === undefined ? null : pointerOf(row);
}

export function loadPointerByUuid(database: Database, uuid: string): TablePointer | null {
  const row = database.row(`SELECT ${columns} FROM pointers WHERE uuid = ?`, uuid);
  return row === undefined ? null : pointerOf(row);
}

/** In order of the printed identifier's UTF-8 bytes. */
export function listPointers(
  database: Database,
  options: { readonly namespace?: readonly string[]; readonly after?: string; readonly limit: number },
): readonly TablePointer[] {
  const after = options.after ?? '';
  if (options.namespace === undefined || options.namespace.length === 0) {
    return database
      .rows(`SELECT ${columns} FROM pointers WHERE printed > ? ORDER BY printed LIMIT ?`, after, options.limit)
      .map(pointerOf);
  }
  // Whatever lies below a namespace is printed as its name and a dot, and '/' is the character after the dot.
  const printed = printNamespace(options.namespace);
  const sql = `SELECT ${columns} FROM pointers WHERE printed > ? AND printed > ? AND printed < ? ORDER BY printed LIMIT ?`;
  return database.rows(sql, after, `${printed}.`, `${printed}/`, options.limit).map(pointerOf);
}

/** Drops come first, so that one change may rename a table or put another in its place. */
export function changePointers(database: Database, changes: readonly PointerChange[]): void {
  for (const change of changes) if (change.kind === 'drop') drop(database, change);
  for (const change of changes) {
    if (change.kind === 'create') create(database, change);
    if (change.kind === 'swap') swap(database, change);
  }
}

function create(database: Database, change: PointerChange & { kind: 'create' }): void {
  const printed = printIdentifier(change.identifier);
  const { namespace, name } = change.identifier;
  const changed = database.run(
    'INSERT INTO pointers (printed, namespace, name, uuid, metadata_location) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    printed,
    JSON.stringify(namespace),
    name,
    change.uuid,
    change.to,
  );
  if (changed === 1n) return;
  const sameUuid = loadPointerByUuid(database, change.uuid);
  if (sameUuid !== null && printIdentifier(sameUuid.identifier) !== printed) {
    throw new IcecoreError(
      'ALREADY_EXISTS',
      `The table ${printed} cannot be created with uuid ${change.uuid}: ${printIdentifier(sameUuid.identifier)} has it.`,
      { context: { table: printed, uuid: change.uuid } },
    );
  }
  throw new IcecoreError('ALREADY_EXISTS', `The table ${printed} already exists.`, { context: { table: printed } });
}

function swap(database: Database, change: PointerChange & { kind: 'swap' }): void {
  const changed = database.run(
    'UPDATE pointers SET metadata_location = ? WHERE printed = ? AND uuid = ? AND metadata_location = ?',
    change.to,
    printIdentifier(change.identifier),
    change.uuid,
    change.from,
  );
  if (changed !== 1n) throw moved(database, change);
}

function drop(database: Database, change: PointerChange & { kind: 'drop' }): void {
  const changed = database.run(
    'DELETE FROM pointers WHERE printed = ? AND uuid = ? AND metadata_location = ?',
    printIdentifier(change.identifier),
    change.uuid,
    change.from,
  );
  if (changed !== 1n) throw moved(database, change);
}

function moved(database: Database, change: PointerChange & { kind: 'swap' | 'drop' }): IcecoreError {
  const printed = printIdentifier(change.identifier);
  const found = loadPointer(database, change.identifier);
  const how =
    found === null
      ? 'is no longer there'
      : found.uuid === change.uuid
        ? 'was changed by another commit'
        : 'was dropped and another table has its name';
  return new IcecoreError('CONFLICT', `The table ${printed} ${how} since it was read: read it again and repeat the change.`, {
    context: { table: printed, expected: change.from, found: found?.metadataLocation ?? null },
    retryable: true,
  });
}

function pointerOf(row: Row): TablePointer {
  return {
    identifier: { namespace: namespaceOf(text(row, 'namespace')), name: text(row, 'name') },
    uuid: text(row, 'uuid'),
    metadataLocation: text(row, 'metadata_location'),
  };
}

function namespaceOf(json: string): readonly string[] {
  const parts: unknown = JSON.parse(json);
  if (!Array.isArray(parts)) throw new TypeError('catalog column namespace holds no JSON list');
  return parts.map(String);
}
