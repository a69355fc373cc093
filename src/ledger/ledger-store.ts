import type { Fence, JournalEntry, TablePointer } from '../catalog/catalog.ts';
import type { AnyLedgerTable, LedgerRow } from './ledger-table.ts';

export interface SequencedRow {
  readonly seq: bigint;
  readonly row: LedgerRow;
}

/** The Iceberg side of the ledger: the tables that hold its rows for good. */
export interface LedgerStore {
  /** Makes the tables that are missing. The uuids, in the order of `tables`: what tells this catalog from any other. */
  ensure(tables: readonly AnyLedgerTable[]): Promise<readonly string[]>;
  /** The rows of one table as it stands at `pointer` that came into the journal after `afterSeq`, in batches of any order. */
  rowsAfter(table: AnyLedgerTable, pointer: TablePointer, afterSeq: bigint): AsyncIterable<readonly SequencedRow[]>;
  /**
   * Moves entries, oldest first, into their table and marks them as flushed through the last one, in one commit that holds only under
   * the fence.
   */
  flush(table: AnyLedgerTable, entries: readonly JournalEntry[], fence: Fence): Promise<void>;
  /** Keeps the table's files few and its history short; true where there was something to do. */
  tidy(table: AnyLedgerTable, fence: Fence): Promise<boolean>;
}
