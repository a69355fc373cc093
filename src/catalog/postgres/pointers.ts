import { printIdentifier, printNamespace, type TableIdentifier } from '../../iceberg/identifier.ts';
import type { TablePointer } from '../catalog.ts';
import type { PointerKind } from '../refusals.ts';
import { type Row, text, texts } from '../row.ts';
import type { PostgresDatabase } from './database.ts';

export const pointerColumns = 'printed, kind, namespace, name, uuid, metadata_location';

/** In the order of the identifiers, null where there is none; all as of one moment. */
export async function loadPointers(
  database: PostgresDatabase,
  kind: PointerKind,
  identifiers: readonly TableIdentifier[],
): Promise<readonly (TablePointer | null)[]> {
  if (identifiers.length === 0) return [];
  const printed = identifiers.map(printIdentifier);
  // No name holds a NUL, and Postgres takes none in a text.
  const sought = [...new Set(printed.filter((name) => !name.includes('\0')))];
  const sql = `SELECT ${pointerColumns} FROM icecore.pointers WHERE printed = ANY($1) AND kind = $2`;
  const rows = await database.rows(sql, sought, kind);
  const found = new Map(rows.map((row) => [text(row, 'printed'), pointerOf(row)]));
  return printed.map((name) => found.get(name) ?? null);
}

/** Tables, in the order of the uuids, null where there is none; all as of one moment. */
export async function loadPointersByUuid(
  database: PostgresDatabase,
  uuids: readonly string[],
): Promise<readonly (TablePointer | null)[]> {
  if (uuids.length === 0) return [];
  const sought = [...new Set(uuids.filter((uuid) => !uuid.includes('\0')))];
  const sql = `SELECT ${pointerColumns} FROM icecore.pointers WHERE uuid = ANY($1) AND kind = 'table'`;
  const found = new Map((await database.rows(sql, sought)).map((row) => [text(row, 'uuid'), pointerOf(row)]));
  return uuids.map((uuid) => found.get(uuid) ?? null);
}

/** Tables, or views, in order of the printed identifier's UTF-8 bytes. */
export async function listPointers(
  database: PostgresDatabase,
  options: {
    readonly kind?: PointerKind;
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  },
): Promise<readonly TablePointer[]> {
  const { kind = 'table' } = options;
  const after = options.after ?? '';
  if (options.namespace === undefined || options.namespace.length === 0) {
    const sql = `SELECT ${pointerColumns} FROM icecore.pointers WHERE printed > $1 AND kind = $2 ORDER BY printed LIMIT $3`;
    return (await database.rows(sql, after, kind, options.limit)).map(pointerOf);
  }
  // Whatever lies below a namespace is printed as its name and a dot, and '/' is the character after the dot.
  const printed = printNamespace(options.namespace);
  const sql = `SELECT ${pointerColumns} FROM icecore.pointers
    WHERE printed > $1 AND printed > $2 AND printed < $3 AND kind = $4 ORDER BY printed LIMIT $5`;
  return (await database.rows(sql, after, `${printed}.`, `${printed}/`, kind, options.limit)).map(pointerOf);
}

/** The tables or views directly in a namespace, in the same order. */
export async function listPointersIn(
  database: PostgresDatabase,
  kind: PointerKind,
  options: { readonly namespace: readonly string[]; readonly after?: string; readonly limit: number },
): Promise<readonly TablePointer[]> {
  const sql = `SELECT ${pointerColumns} FROM icecore.pointers
    WHERE namespace = $1 AND kind = $2 AND printed > $3 ORDER BY printed LIMIT $4`;
  const rows = await database.rows(sql, JSON.stringify(options.namespace), kind, options.after ?? '', options.limit);
  return rows.map(pointerOf);
}

export function pointerOf(row: Row): TablePointer {
  return {
    identifier: { namespace: texts(row, 'namespace'), name: text(row, 'name') },
    uuid: text(row, 'uuid'),
    metadataLocation: text(row, 'metadata_location'),
  };
}
