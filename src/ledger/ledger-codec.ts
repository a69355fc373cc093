import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { IcecoreError } from '../errors.ts';
import type { Type } from '../iceberg/type.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import { cellFromJson, cellToJson } from './ledger-cell.ts';
import type { AnyLedgerTable, LedgerRow, LedgerValue } from './ledger-table.ts';

/** The column that every ledger table has besides its own: the row's sequence number in the journal. */
export const journalSeqColumn = 'journal_seq';

export interface CodecColumn {
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  readonly doc: string;
}

/** Rows of one ledger table, in memory, as journal JSON, and as cells of the local index. */
export class LedgerCodec {
  readonly table: AnyLedgerTable;
  readonly columns: readonly CodecColumn[];

  constructor(table: AnyLedgerTable) {
    this.table = table;
    this.columns = table.columns.map((column) => ({ ...column, type: parseTypeText(column.type, () => 0) }));
  }

  /** Throws INTERNAL where the row does not fit the columns: a defect of who made it. */
  toJournal(row: LedgerRow): string {
    const unknown = Object.keys(row).find((name) => !this.columns.some((column) => column.name === name));
    if (unknown !== undefined) throw new IcecoreError('INTERNAL', `${this.table.name} has no column ${unknown}.`);
    return JSON.stringify(
      Object.fromEntries(this.columns.map((column) => [column.name, this.#cellJson(column, row[column.name])])),
    );
  }

  /** Columns that the text lacks, since they came later, are null. */
  fromJournal(text: string): LedgerRow {
    const object = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return this.#row((column) => cellFromJson(column.type, object[column.name], `${this.table.name}.${column.name}`));
  }

  /** One value for each column, in their order. */
  toIndex(row: LedgerRow): readonly SQLInputValue[] {
    return this.columns.map((column) => indexCell(column, this.#cellJson(column, row[column.name]), row[column.name]));
  }

  fromIndex(cells: Readonly<Record<string, SQLOutputValue>>): LedgerRow {
    return this.#row((column) => memoryCell(column, cells[column.name] ?? null));
  }

  #cellJson(column: CodecColumn, value: LedgerValue | undefined): unknown {
    const json = cellToJson(column.type, value, `${this.table.name}.${column.name}`);
    if (json === null && column.required)
      throw new IcecoreError('INTERNAL', `${this.table.name}.${column.name} must have a value.`);
    return json;
  }

  #row(cell: (column: CodecColumn) => LedgerValue): LedgerRow {
    return Object.fromEntries(this.columns.map((column) => [column.name, cell(column)]));
  }
}

/** What SQLite calls the column's type. */
export function indexType(type: Type): 'TEXT' | 'INTEGER' | 'REAL' {
  if (typeof type !== 'string') return 'TEXT';
  if (['long', 'int', 'boolean', 'date', 'time', 'timestamp', 'timestamptz'].includes(type)) return 'INTEGER';
  return type === 'double' || type === 'float' ? 'REAL' : 'TEXT';
}

function indexCell({ type }: CodecColumn, json: unknown, value: LedgerValue | undefined): SQLInputValue {
  if (json === null) return null;
  if (typeof type !== 'string') return JSON.stringify(json);
  if (typeof value === 'boolean') return value ? 1 : 0;
  // NaN would become NULL in SQLite: as text it keeps its place.
  if (typeof json === 'number' || typeof value === 'bigint') return value as number | bigint;
  return String(json);
}

function memoryCell({ name, type }: CodecColumn, cell: SQLOutputValue): LedgerValue {
  if (cell === null) return null;
  if (typeof type !== 'string') return cellFromJson(type, JSON.parse(String(cell)), name);
  switch (type) {
    case 'boolean':
      return cell === 1n;
    case 'int':
    case 'date':
    case 'float':
    case 'double':
      return Number(cell);
    default:
      return typeof cell === 'bigint' ? cell : String(cell);
  }
}
