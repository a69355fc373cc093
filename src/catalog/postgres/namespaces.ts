import { printNamespace } from '../../iceberg/identifier.ts';
import type { Namespace } from '../catalog.ts';
import { type Row, text, texts } from '../row.ts';
import type { PostgresDatabase } from './database.ts';

export const namespaceColumns = 'printed, parent, parts, properties';

export async function loadNamespace(database: PostgresDatabase, parts: readonly string[]): Promise<Namespace | null> {
  const printed = printNamespace(parts);
  if (printed.includes('\0')) return null;
  const [row] = await database.rows(`SELECT ${namespaceColumns} FROM icecore.namespaces WHERE printed = $1`, printed);
  return row === undefined ? null : namespaceOf(row);
}

/** Those directly below `parent`, in order of their printed names' UTF-8 bytes. */
export async function listNamespaces(
  database: PostgresDatabase,
  options: { readonly parent: readonly string[]; readonly after?: string; readonly limit: number },
): Promise<readonly Namespace[]> {
  const sql = `SELECT ${namespaceColumns} FROM icecore.namespaces WHERE parent = $1 AND printed > $2 ORDER BY printed LIMIT $3`;
  const rows = await database.rows(sql, printNamespace(options.parent), options.after ?? '', options.limit);
  return rows.map(namespaceOf);
}

export function namespaceOf(row: Row): Namespace {
  const properties: unknown = JSON.parse(text(row, 'properties'));
  if (typeof properties !== 'object' || properties === null)
    throw new TypeError('catalog column properties holds no JSON object');
  const named = Object.entries(properties).map(([name, value]) => [name, String(value)] as const);
  return { parts: texts(row, 'parts'), properties: Object.fromEntries(named) };
}
