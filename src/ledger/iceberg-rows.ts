import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { printTimestamp } from '../iceberg/calendar.ts';
import { parseJson } from '../iceberg/json.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Type } from '../iceberg/type.ts';
import { loadJsonRows } from '../sql/json-rows.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { cellFromJson } from './ledger-cell.ts';
import { journalSeqColumn, type LedgerCodec } from './ledger-codec.ts';
import type { SequencedRow } from './ledger-store.ts';
import type { LedgerValue } from './ledger-table.ts';

/** What a ledger row is to SQL: its columns in forms that come out of DuckDB without loss, the journal's sequence number first. */
export function ledgerSelectSql({ columns }: LedgerCodec, from: string, where: string): string {
  const cells = columns.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    if (typeof type !== 'string') return `CAST(to_json(${column}) AS VARCHAR)`;
    return type === 'timestamptz' || type === 'timestamp' ? `epoch_us(${column})` : column;
  });
  return `SELECT ${[journalSeqColumn, ...cells].join(', ')} FROM ${from} WHERE ${where}`;
}

/** The inverse: a row of such a SELECT. */
export function ledgerRow({ table, columns }: LedgerCodec, cells: readonly DuckDBValue[]): SequencedRow {
  const row = Object.fromEntries(
    columns.map(({ name, type }, index): [string, LedgerValue] => [
      name,
      ledgerCell(type, cells[index + 1] ?? null, `${table.name}.${name}`),
    ]),
  );
  return { seq: BigInt(String(cells[0])), row };
}

function ledgerCell(type: Type, cell: DuckDBValue, where: string): LedgerValue {
  if (typeof type !== 'string') return cell === null ? null : cellFromJson(type, parseJson(String(cell)), where);
  // Not through JSON: numbers that are no JSON come as they are.
  return typeof cell === 'number' ? cell : cellFromJson(type, cell, where);
}

/** Fills a temporary table of the Iceberg table's columns with ledger rows. */
export async function loadLedgerRows(
  connection: DuckDBConnection,
  name: string,
  codec: LedgerCodec,
  schema: Schema,
  rows: readonly SequencedRow[],
): Promise<void> {
  const objects = rows.map(({ seq, row }) => ({
    [journalSeqColumn]: seq.toString(),
    ...Object.fromEntries(codec.columns.map((column) => [column.name, contractCell(column.type, row[column.name] ?? null)])),
  }));
  await loadJsonRows(connection, name, schema, objects);
}

/** A cell in the forms of the API's JSON scalar: instants as text, maps as lists of pairs. */
function contractCell(type: Type, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type === 'string') {
    if (type === 'timestamptz') return printTimestamp(value as bigint, 'micros', true);
    if (type === 'timestamp') return printTimestamp(value as bigint, 'micros', false);
    if (typeof value === 'bigint') return value.toString();
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  }
  switch (type.kind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => contractCell(type.element, item));
    case 'map':
      return Object.entries(value).map(([key, item]) => [key, contractCell(type.value, item)]);
    case 'struct': {
      const object = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(type.fields.map((field) => [field.name, contractCell(field.type, object[field.name])]));
    }
  }
}
