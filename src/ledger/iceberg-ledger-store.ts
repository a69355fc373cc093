import type { DuckDBConnection } from '@duckdb/node-api';
import type { Fence, JournalEntry, TablePointer } from '../catalog/catalog.ts';
import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { keyValuesPrunedMax, ledgerFilesTidied, ledgerHistoryMs, ledgerSmallFileBytes } from '../limits.ts';
import { refuseCutShort } from '../sql/cut-short.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { appendFiles } from '../tables/actions/append-files.ts';
import { evolveSchema } from '../tables/actions/evolve-schema.ts';
import { replaceFiles } from '../tables/actions/replace-files.ts';
import { writeDataFiles } from '../tables/data-file-writer.ts';
import { expireTable } from '../tables/expire-table.ts';
import { fileColumn } from '../tables/read-parquet.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import { openScan, type ScanRelation, scanRelation } from '../tables/scan-relation.ts';
import { planSnapshot } from '../tables/snapshot-files.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { ledgerRow, ledgerSelectSql, loadLedgerRows } from './iceberg-rows.ts';
import { journalSeqColumn, LedgerCodec } from './ledger-codec.ts';
import { identifierOf } from './ledger-identifier.ts';
import type { LedgerStore, SequencedRow } from './ledger-store.ts';
import type { AnyLedgerTable } from './ledger-table.ts';

const loaded = 'ledger_rows';

/** The ledger's tables as Iceberg tables of format v2 (semantics, section 7). */
export class IcebergLedgerStore implements LedgerStore {
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  async ensure(tables: readonly AnyLedgerTable[]): Promise<readonly string[]> {
    const identifiers = tables.map(({ name }) => identifierOf(name));
    const present = await this.#tables.loadMany(identifiers);
    // Another server's are read as they are.
    if (this.#tables.catalog.isReadOnly === true) return present.flatMap((table) => table?.uuid ?? []);
    const transaction = this.#tables.transaction();
    for (const [index, table] of tables.entries())
      if (present[index] === null) transaction.create(identifierOf(table.name), definitionOf(table));
    if (present.includes(null)) {
      await transaction.commit().catch((error: unknown) => {
        // Another server started at the same time, and made them.
        if (!IcecoreError.is(error, 'ALREADY_EXISTS')) throw error;
      });
    }
    const made = await this.#tables.loadMany(identifiers);
    if (made.includes(null)) return this.ensure(tables);
    for (const [index, table] of tables.entries()) await this.#addColumns(table, made[index] ?? null);
    return made.flatMap((table) => table?.uuid ?? []);
  }

  /** A newer version of Icecore may know columns that the table does not have yet; rows from before have no value for them. */
  async #addColumns(table: AnyLedgerTable, now: Table | null): Promise<void> {
    if (now === null) return;
    const present = new Set(currentSchema(now.metadata).fields.map((field) => field.name));
    const missing = table.columns.filter((column) => !present.has(column.name));
    if (missing.length === 0) return;
    const transaction = this.#tables.transaction();
    transaction.change(now, evolveSchema(missing.map(({ name, type, doc }) => ({ kind: 'add', column: { name, type, doc } }))));
    try {
      await transaction.commit();
    } catch (error) {
      // Another server of the same version may have been first; otherwise this fails again.
      const fresh = await this.#tables.load(identifierOf(table.name));
      if (fresh.metadataLocation === now.metadataLocation) throw error;
      await this.#addColumns(table, fresh);
    }
  }

  async *rowsAfter(table: AnyLedgerTable, pointer: TablePointer, afterSeq: bigint): AsyncIterable<readonly SequencedRow[]> {
    const codec = new LedgerCodec(table);
    const metadata = await this.#tables.files.metadata(pointer.metadataLocation);
    const at: Table = { ...pointer, metadata };
    // Shared by all who wait for the index, whoever came first.
    const scan = await this.#tables.access.asServer(() =>
      scanRelation(this.#tables, {
        table: at,
        snapshot: resolveAsOf(at),
        schema: currentSchema(metadata),
        where: { op: 'gt', column: journalSeqColumn, literal: afterSeq },
      }),
    );
    const lease = await this.#tables.duckdb.trusted.lease().catch((error: unknown) => {
      scan.release();
      throw error;
    });
    try {
      const result = await lease.connection.stream(ledgerSelectSql(codec, scan.sql, `${journalSeqColumn} > ${afterSeq}`));
      for await (const rows of result.yieldRows()) yield rows.map((cells) => ledgerRow(codec, cells));
      refuseCutShort(result, `Reading ${table.name}`);
    } finally {
      scan.release();
      await lease.release();
    }
  }

  async flush(table: AnyLedgerTable, entries: readonly JournalEntry[], fence: Fence): Promise<void> {
    // Whoever's question it was that could not wait for the next flush.
    await this.#tables.access.asServer(() => this.#flush(table, entries, fence));
  }

  async #flush(table: AnyLedgerTable, entries: readonly JournalEntry[], fence: Fence): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const codec = new LedgerCodec(table);
    const rows = entries.map(({ seq, row }) => ({ seq, row: codec.fromJournal(row) }));
    const now = await this.#tables.load(identifierOf(table.name));
    const transaction = this.#tables.transaction();
    transaction.fence(fence);
    transaction.flushed(table.name, last.seq);
    await this.#tables.duckdb.trusted.use(async (connection) => {
      await loadLedgerRows(
        connection,
        loaded,
        codec,
        currentSchema(now.metadata),
        table.mode === 'append' ? rows : newestByKey(table, rows),
      );
      const summary = { 'icecore.journal-seq': last.seq.toString() };
      const stale = table.mode === 'append' ? null : await this.#scanStale(connection, now, table, rows);
      try {
        const kept =
          stale === null ? '' : ` UNION ALL BY NAME SELECT * FROM ${stale.sql} AS old WHERE NOT EXISTS (${sameKey(table)})`;
        const relation = `(SELECT * FROM ${loaded}${kept})`;
        const { files } = await writeDataFiles(this.#tables, {
          connection,
          relation,
          metadata: now.metadata,
          orderBy: journalSeqColumn,
        });
        const removed = stale?.plan.tasks.map(({ file }) => file.filePath) ?? [];
        transaction.onRollback(files.map((file) => file.filePath));
        const isReplacement = removed.length > 0;
        const readFrom = resolveAsOf(now)?.snapshotId ?? null;
        transaction.change(
          now,
          isReplacement
            ? replaceFiles({ operation: 'overwrite', removed, added: files, readFrom, summary })
            : appendFiles(files, { summary }),
        );
      } finally {
        stale?.release();
      }
    });
    await transaction.commit();
  }

  async tidy(table: AnyLedgerTable, fence: Fence): Promise<boolean> {
    return await this.#tables.access.asServer(() => this.#tidy(table, fence));
  }

  async #tidy(table: AnyLedgerTable, fence: Fence): Promise<boolean> {
    const isMerged = await this.#merge(table, fence);
    const { removed } = await expireTable(this.#tables, {
      identifier: identifierOf(table.name),
      olderThanMs: nowMs(this.#tables.clock) - ledgerHistoryMs,
      record: (transaction) => transaction.fence(fence),
    });
    return isMerged || removed.length > 0;
  }

  /** Many small files become one with the same rows. */
  async #merge(table: AnyLedgerTable, fence: Fence): Promise<boolean> {
    const now = await this.#tables.load(identifierOf(table.name));
    const schema = currentSchema(now.metadata);
    const plan = await planSnapshot(this.#tables.files, now.metadata, resolveAsOf(now), { schema });
    const tasks = plan.tasks.filter(({ file }) => file.fileSizeInBytes < ledgerSmallFileBytes).slice(0, 10 * ledgerFilesTidied);
    if (tasks.length < ledgerFilesTidied) return false;
    const transaction = this.#tables.transaction();
    transaction.fence(fence);
    const small = await openScan(this.#tables, { table: now }, schema, { ...plan, tasks });
    try {
      const { files } = await this.#tables.duckdb.trusted.use((connection) =>
        writeDataFiles(this.#tables, { connection, relation: small.sql, metadata: now.metadata, orderBy: journalSeqColumn }),
      );
      transaction.onRollback(files.map((file) => file.filePath));
      const removed = tasks.map(({ file }) => file.filePath);
      const readFrom = resolveAsOf(now)?.snapshotId ?? null;
      transaction.change(now, replaceFiles({ operation: 'replace', removed, added: files, readFrom }));
    } finally {
      small.release();
    }
    await transaction.commit();
    return true;
  }

  /** The files that hold an earlier row of one of the loaded keys; null where there are none. */
  async #scanStale(
    connection: DuckDBConnection,
    now: Table,
    table: AnyLedgerTable,
    rows: readonly SequencedRow[],
  ): Promise<ScanRelation | null> {
    const [column] = table.key;
    const literals = [...new Set(rows.map(({ row }) => row[column ?? '']))].filter((value) => typeof value === 'string');
    // Keys such as run ids rise with time, so old files hold none of them.
    const isPrunable = column !== undefined && literals.length > 0 && literals.length <= keyValuesPrunedMax;
    const whole = await scanRelation(this.#tables, {
      table: now,
      snapshot: resolveAsOf(now),
      withPosition: true,
      ...(isPrunable ? { where: { op: 'in', column, literals } } : {}),
    });
    try {
      const result = await connection.runAndReadAll(
        `SELECT DISTINCT ${fileColumn} FROM ${whole.sql} AS old WHERE EXISTS (${sameKey(table)})`,
      );
      const tasks = result.getRows().flatMap(([path]) => whole.tasksByPath.get(String(path)) ?? []);
      if (tasks.length === 0) return null;
      return await openScan(this.#tables, { table: now }, whole.schema, { ...whole.plan, tasks });
    } finally {
      whole.release();
    }
  }
}

function sameKey(table: AnyLedgerTable): string {
  const equal = table.key.map((name) => `new.${quoteIdentifier(name)} = old.${quoteIdentifier(name)}`);
  return `SELECT 1 FROM ${loaded} AS new WHERE ${equal.join(' AND ')}`;
}

function newestByKey(table: AnyLedgerTable, rows: readonly SequencedRow[]): readonly SequencedRow[] {
  const byKey = new Map<string, SequencedRow>();
  for (const entry of rows) byKey.set(JSON.stringify(table.key.map((name) => String(entry.row[name]))), entry);
  return [...byKey.values()];
}

function definitionOf(table: AnyLedgerTable): Parameters<ReturnType<Tables['transaction']>['create']>[1] {
  const seq = {
    name: journalSeqColumn,
    type: 'long',
    required: true,
    doc: 'Place of the row in the journal: rises with every row of the catalog',
  };
  return {
    columns: [seq, ...table.columns],
    properties: {
      comment: 'Written by Icecore alone',
      // A flush a second would leave a metadata file each.
      'write.metadata.delete-after-commit.enabled': 'true',
      'write.metadata.previous-versions-max': '20',
    },
  };
}
