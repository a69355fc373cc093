import { printNamespace } from '../../iceberg/identifier.ts';
import type { Namespace, NamespaceChange } from '../catalog.ts';
import { namespaceExists, namespaceMissing, namespaceNotEmpty } from '../refusals.ts';
import { text } from '../row.ts';
import type { Database, Row } from './database.ts';

const columns = 'parts, properties';

export function loadNamespace(database: Database, parts: readonly string[]): Namespace | null {
  const row = database.row(`SELECT ${columns} FROM namespaces WHERE printed = ?`, printNamespace(parts));
  return row === undefined ? null : namespaceOf(row);
}

/** Those directly below `parent`, in order of their printed names' UTF-8 bytes. */
export function listNamespaces(
  database: Database,
  options: { readonly parent: readonly string[]; readonly after?: string; readonly limit: number },
): readonly Namespace[] {
  const sql = `SELECT ${columns} FROM namespaces WHERE parent = ? AND printed > ? ORDER BY printed LIMIT ?`;
  return database.rows(sql, printNamespace(options.parent), options.after ?? '', options.limit).map(namespaceOf);
}

/** Makes the namespace and all above it where they are missing. */
export function ensureNamespace(database: Database, parts: readonly string[]): void {
  for (let depth = parts.length; depth > 0; depth -= 1) {
    // Whatever exists has all above it.
    if (!insert(database, { parts: parts.slice(0, depth), properties: {} })) return;
  }
}

/** Throws NOT_FOUND where there is no such namespace. */
export function requireNamespace(database: Database, parts: readonly string[]): Namespace {
  const found = loadNamespace(database, parts);
  if (found !== null) return found;
  throw namespaceMissing(parts);
}

/** In their order. Throws ALREADY_EXISTS, NOT_FOUND, and FAILED_PRECONDITION for a drop of one that holds something. */
export function changeNamespaces(database: Database, changes: readonly NamespaceChange[]): void {
  for (const change of changes) {
    if (change.kind === 'create') create(database, change.namespace);
    if (change.kind === 'update') update(database, change);
    if (change.kind === 'drop') drop(database, change.parts);
  }
}

function create(database: Database, namespace: Namespace): void {
  if (!insert(database, namespace)) throw namespaceExists(namespace.parts);
  ensureNamespace(database, namespace.parts.slice(0, -1));
}

function update(database: Database, change: NamespaceChange & { kind: 'update' }): void {
  const { properties } = requireNamespace(database, change.parts);
  const removed = new Set(change.remove);
  const kept = Object.entries(properties).filter(([name]) => !removed.has(name));
  const changed = { ...Object.fromEntries(kept), ...change.set };
  database.run('UPDATE namespaces SET properties = ? WHERE printed = ?', JSON.stringify(changed), printNamespace(change.parts));
}

function drop(database: Database, parts: readonly string[]): void {
  requireNamespace(database, parts);
  const held = holding(database, parts);
  if (held !== null) throw namespaceNotEmpty(parts, held);
  database.run('DELETE FROM namespaces WHERE printed = ?', printNamespace(parts));
}

/** Something that a namespace holds, in words; null where it is empty. */
function holding(database: Database, parts: readonly string[]): string | null {
  const pointer = database.row('SELECT kind, printed FROM pointers WHERE namespace = ? LIMIT 1', JSON.stringify(parts));
  if (pointer !== undefined) return `${text(pointer, 'kind')} ${text(pointer, 'printed')}`;
  const below = database.row('SELECT printed FROM namespaces WHERE parent = ? LIMIT 1', printNamespace(parts));
  return below === undefined ? null : `namespace ${text(below, 'printed')}`;
}

/** Whether it was not there before. */
function insert(database: Database, { parts, properties }: Namespace): boolean {
  const changed = database.run(
    'INSERT INTO namespaces (printed, parent, parts, properties) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    printNamespace(parts),
    printNamespace(parts.slice(0, -1)),
    JSON.stringify(parts),
    JSON.stringify(properties),
  );
  return changed === 1n;
}

function namespaceOf(row: Row): Namespace {
  const parts: unknown = JSON.parse(text(row, 'parts'));
  if (!Array.isArray(parts)) throw new TypeError('catalog column parts holds no JSON list');
  const properties: unknown = JSON.parse(text(row, 'properties'));
  if (typeof properties !== 'object' || properties === null)
    throw new TypeError('catalog column properties holds no JSON object');
  const texts = Object.entries(properties).map(([name, value]) => [name, String(value)] as const);
  return { parts: parts.map(String), properties: Object.fromEntries(texts) };
}
