/** The value of a cell of a ledger row. Instants are microseconds since the epoch; nested values are JSON. */
export type LedgerValue = string | number | bigint | boolean | null | readonly unknown[] | { readonly [key: string]: unknown };
export type LedgerRow = Readonly<Record<string, LedgerValue>>;

export interface LedgerColumn {
  readonly name: string;
  /** An Iceberg type as text: `string`, `long`, `int`, `double`, `boolean`, `timestamptz`, `list<string>`, `map<string, string>`, … */
  readonly type: string;
  readonly required: boolean;
  readonly doc: string;
}

/**
 * One of Icecore's own tables (semantics, section 7). A row is durable in the catalog's journal with the change it belongs to and moves to
 * the Iceberg table `icecore.<name>` by group commit; answers read both, through a local index that can be lost.
 */
export interface LedgerTable<Row extends LedgerRow> {
  /** `icecore.models` and so on. */
  readonly name: string;
  readonly columns: readonly LedgerColumn[];
  /** The columns that identify a row. */
  readonly key: readonly (keyof Row & string)[];
  /** `append`: rows are only ever added. `upsert`: a later row with the same key takes the place of the earlier one. */
  readonly mode: 'append' | 'upsert';
  /** Column lists that the local index is searched by. */
  readonly indexes: readonly (readonly (keyof Row & string)[])[];
  /** False for rows that only SQL reads: the local index is spared them, and they can be many and large. */
  readonly isIndexed?: boolean;
  /** What the row is about, for guards: `model/churn`. */
  subject(row: Row): string;
}

/** A ledger table whose rows are of no matter: every `LedgerTable` is one. */
export interface AnyLedgerTable extends Pick<LedgerTable<LedgerRow>, 'name' | 'columns' | 'mode' | 'isIndexed'> {
  readonly key: readonly string[];
  readonly indexes: readonly (readonly string[])[];
  subject(row: LedgerRow): string;
}
