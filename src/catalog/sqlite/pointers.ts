import type { IcecoreError } from '../../errors.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../../iceberg/identifier.ts';
import type { PointerChange, TablePointer } from '../catalog.ts';
import { nameTaken, type PointerKind, pointerMoved, uuidTaken } from '../refusals.ts';
import { text } from '../row.ts';
import type { Database, Row } from './database.ts';
import { ensureNamespace, requireNamespace } from './namespaces.ts';

const columns = 'namespace, name, uuid, metadata_location';

export function loadPointer(database: Database, kind: PointerKind, identifier: TableIdentifier): TablePointer | null {
  const sql = `SELECT ${columns} FROM pointers WHERE printed = ? AND kind = ?`;
  const row = database.row(sql, printIdentifier(identifier), kind);
  return row === undefined ? null : pointerOf(row);
}

/** Of a table. */
export function loadPointerByUuid(database: Database, uuid: string): TablePointer | null {
  const row = database.row(`SELECT ${columns} FROM pointers WHERE uuid = ? AND kind = 'table'`, uuid);
  return row === undefined ? null : pointerOf(row);
}

/** Tables, or views, in order of the printed identifier's UTF-8 bytes. */
export function listPointers(
  database: Database,
  options: {
    readonly kind?: PointerKind;
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  },
): readonly TablePointer[] {
  const { kind = 'table' } = options;
  const after = options.after ?? '';
  if (options.namespace === undefined || options.namespace.length === 0) {
    const sql = `SELECT ${columns} FROM pointers WHERE printed > ? AND kind = ? ORDER BY printed LIMIT ?`;
    return database.rows(sql, after, kind, options.limit).map(pointerOf);
  }
  // Whatever lies below a namespace is printed as its name and a dot, and '/' is the character after the dot.
  const printed = printNamespace(options.namespace);
  const sql = `SELECT ${columns} FROM pointers WHERE printed > ? AND printed > ? AND printed < ? AND kind = ? ORDER BY printed LIMIT ?`;
  return database.rows(sql, after, `${printed}.`, `${printed}/`, kind, options.limit).map(pointerOf);
}

/** The tables or views directly in a namespace, in the same order. */
export function listPointersIn(
  database: Database,
  kind: PointerKind,
  options: { readonly namespace: readonly string[]; readonly after?: string; readonly limit: number },
): readonly TablePointer[] {
  const sql = `SELECT ${columns} FROM pointers WHERE namespace = ? AND kind = ? AND printed > ? ORDER BY printed LIMIT ?`;
  return database.rows(sql, JSON.stringify(options.namespace), kind, options.after ?? '', options.limit).map(pointerOf);
}

/** Drops come first, so that one change may rename a table, put another in its place, or a view. */
export function changePointers(database: Database, changes: Readonly<Record<PointerKind, readonly PointerChange[]>>): void {
  const kinds = ['table', 'view'] as const;
  for (const kind of kinds) {
    for (const change of changes[kind]) if (change.kind === 'drop') drop(database, kind, change);
  }
  for (const kind of kinds) {
    for (const change of changes[kind]) {
      if (change.kind === 'create') create(database, kind, change);
      if (change.kind === 'swap') swap(database, kind, change);
    }
  }
}

function create(database: Database, kind: PointerKind, change: PointerChange & { kind: 'create' }): void {
  const printed = printIdentifier(change.identifier);
  const { namespace, name } = change.identifier;
  if (change.requireNamespace === true) requireNamespace(database, namespace);
  else ensureNamespace(database, namespace);
  const changed = database.run(
    'INSERT INTO pointers (printed, namespace, name, uuid, metadata_location, kind) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
    printed,
    JSON.stringify(namespace),
    name,
    change.uuid,
    change.to,
    kind,
  );
  if (changed !== 1n) throw taken(database, kind, change);
}

function taken(database: Database, kind: PointerKind, change: PointerChange & { kind: 'create' }): IcecoreError {
  const printed = printIdentifier(change.identifier);
  const sameName = database.row('SELECT kind FROM pointers WHERE printed = ?', printed);
  if (sameName !== undefined) return nameTaken(printed, text(sameName, 'kind') === 'view' ? 'view' : 'table');
  return uuidTaken(kind, printed, change.uuid);
}

function swap(database: Database, kind: PointerKind, change: PointerChange & { kind: 'swap' }): void {
  const changed = database.run(
    'UPDATE pointers SET metadata_location = ? WHERE printed = ? AND kind = ? AND uuid = ? AND metadata_location = ?',
    change.to,
    printIdentifier(change.identifier),
    kind,
    change.uuid,
    change.from,
  );
  if (changed !== 1n) throw pointerMoved(kind, change, loadPointer(database, kind, change.identifier));
}

function drop(database: Database, kind: PointerKind, change: PointerChange & { kind: 'drop' }): void {
  const changed = database.run(
    'DELETE FROM pointers WHERE printed = ? AND kind = ? AND uuid = ? AND metadata_location = ?',
    printIdentifier(change.identifier),
    kind,
    change.uuid,
    change.from,
  );
  if (changed !== 1n) throw pointerMoved(kind, change, loadPointer(database, kind, change.identifier));
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
