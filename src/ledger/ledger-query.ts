import type { SQLInputValue } from 'node:sqlite';
import { printJson } from '../iceberg/json.ts';
import { ledgerSelectRowsMax } from '../limits.ts';
import type { LedgerRow } from './ledger-table.ts';

export type LedgerCell = string | number | bigint | boolean | null;

/** A condition in SQLite's SQL over a ledger table's columns and `journal_seq`; written in code, never by a caller. */
export interface LedgerCondition {
  readonly text: string;
  readonly args?: readonly LedgerCell[];
}

export interface LedgerQuery<Row extends LedgerRow> {
  /** Equality by column; a list means any of its values, null means no value. */
  readonly where?: { readonly [Column in keyof Row]?: LedgerCell | readonly (string | number | bigint)[] };
  readonly sql?: LedgerCondition;
  /** `started_at DESC, id DESC`; by `journal_seq` where left out. */
  readonly orderBy?: string;
  /** At most `ledgerSelectRowsMax`, which also is the default. */
  readonly limit?: number;
}

export interface IndexStatement {
  readonly text: string;
  readonly args: readonly SQLInputValue[];
}

/** The statement that selects `columns` (SQL) from one table of the index. */
export function selectStatement(from: string, columns: string, query: LedgerQuery<LedgerRow>): IndexStatement {
  const conditions: string[] = [];
  const args: SQLInputValue[] = [];
  for (const [column, value] of Object.entries(query.where ?? {})) {
    if (value === undefined) continue;
    const name = quoted(column);
    if (value === null) {
      conditions.push(`${name} IS NULL`);
    } else if (typeof value === 'object') {
      // One argument whatever the length, so that the text, and with it the prepared statement, stays the same.
      conditions.push(`${name} IN (SELECT value FROM json_each(?))`);
      args.push(printJson(value));
    } else {
      conditions.push(`${name} = ?`);
      args.push(sqlite(value));
    }
  }
  if (query.sql !== undefined) {
    conditions.push(`(${query.sql.text})`);
    args.push(...(query.sql.args ?? []).map(sqlite));
  }
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const limit = Math.min(query.limit ?? ledgerSelectRowsMax, ledgerSelectRowsMax);
  const text = `SELECT ${columns} FROM ${quoted(from)}${where} ORDER BY ${query.orderBy ?? 'journal_seq'} LIMIT ?`;
  return { text, args: [...args, limit] };
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function sqlite(value: LedgerCell): SQLInputValue {
  return typeof value === 'boolean' ? (value ? 1 : 0) : value;
}
