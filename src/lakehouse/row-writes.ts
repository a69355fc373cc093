import type { Call } from '../access/call.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { featureTableOf } from '../features/feature-table-of.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { once } from '../ledger/once.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { LineageEdgeDraft } from '../lineage/lineage-record.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { requireWrite } from '../tables/write-access.ts';
import { type RowsWritten, type WriteMode, writeRows } from '../tables/write-rows.ts';
import { type GivenRows, openGivenRows } from './given-rows.ts';
import { userTable } from './user-table.ts';

export interface RowWritesOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
  /** Directories that `file` may name. */
  readonly fileRoots: readonly string[];
}

export interface RowsWrite {
  readonly table: string;
  readonly branch: string;
  readonly rows: GivenRows;
  readonly mode: WriteMode;
  /** Null for a feature table's entity keys and event time. */
  readonly keys: readonly string[] | null;
  readonly expectedSnapshotId: bigint | null;
}

export interface WrittenRows {
  readonly table: Table;
  readonly snapshot: Snapshot;
  readonly rowsAdded: bigint;
  readonly rowsRemoved: bigint;
}

/** What a repetition of a write is told. */
interface WriteAnswer {
  readonly uuid: string;
  readonly snapshotId: string;
  readonly rowsAdded: string;
  readonly rowsRemoved: string | null;
}

/** Callers' writes of rows: each one snapshot, with its lineage, its audit entry and its claim in the same commit. */
export class RowWrites {
  readonly #options: RowWritesOptions;

  constructor(options: RowWritesOptions) {
    this.#options = options;
  }

  /** Throws what `writeRows` of the tables throws, and FORBIDDEN. */
  async write(call: Call, write: RowsWrite, signal: AbortSignal): Promise<WrittenRows> {
    requireRole(call.caller, 'scientist', 'write rows');
    const identifier = userTable(write.table);
    await requireWrite(this.#options.tables, identifier, 'write rows to');
    const { tables, audit, lineage } = this.#options;
    let removed: bigint | null = null;
    const keyed = { caller: call.caller, mutation: 'writeRows', key: call.key, input: call.input };
    const answer = await once(this.#options, keyed, async (claim): Promise<WriteAnswer> => {
      const table = await tables.load(identifier);
      const keys = write.keys ?? naturalKeys(table);
      const given = await openGivenRows(this.#options, write.rows, signal);
      try {
        const outcome = await writeRows(tables, {
          identifier,
          branch: write.branch,
          rows: given.source,
          mode: write.mode,
          ...(keys === null ? {} : { keys }),
          ...(write.expectedSnapshotId === null ? {} : { expectedSnapshotId: write.expectedSnapshotId }),
          fileRoots: this.#options.fileRoots,
          signal,
          record: (transaction, written) => {
            const to = { tableUuid: written.table.uuid, name: printIdentifier(written.table.identifier) };
            const edges = lineageOf(given.readFrom(), { ...to, snapshotId: written.snapshotId });
            for (const entry of lineage.drafts(edges, call.caller)) transaction.entry(entry);
            const subject = auditSubject({ kind: 'TABLE', uuid: to.tableUuid, version: String(written.snapshotId) });
            const { mode, branch } = write;
            const { rowsAdded, rowsRemoved, snapshotId } = written;
            const payload = { table: to.name, snapshotId, mode, branch, rowsAdded, rowsRemoved };
            transaction.link(audit.link({ caller: call.caller, action: 'writeRows', subject, outcome: 'SUCCEEDED', payload }));
            const record = claim(answerOf(written));
            if (record !== null) transaction.claim(record);
          },
        });
        removed = outcome.rowsRemoved;
        return answerOf({ ...outcome, snapshotId: outcome.snapshot.snapshotId });
      } finally {
        await given.release();
      }
    });
    return await this.#written(answer, write.table, removed);
  }

  async #written(answer: WriteAnswer, name: string, removed: bigint | null): Promise<WrittenRows> {
    const table = await this.#options.tables.findByUuid(answer.uuid);
    const snapshot = table === null ? undefined : snapshotById(table.metadata, BigInt(answer.snapshotId));
    if (table === null || snapshot === undefined) {
      throw new IcecoreError(
        'NOT_FOUND',
        `The rows were written to ${name} as snapshot ${answer.snapshotId}, which is gone since.`,
      );
    }
    const rowsAdded = BigInt(answer.rowsAdded);
    const rowsRemoved = removed ?? (answer.rowsRemoved === null ? removedBy(snapshot) : BigInt(answer.rowsRemoved));
    return { table, snapshot, rowsAdded, rowsRemoved };
  }
}

/** Of a repeated overwrite only its snapshot remembers. */
function removedBy(snapshot: Snapshot): bigint {
  return BigInt(snapshot.summary['deleted-records'] ?? '0');
}

function answerOf(written: Pick<RowsWritten, 'table' | 'snapshotId' | 'rowsAdded' | 'rowsRemoved'>): WriteAnswer {
  return {
    uuid: written.table.uuid,
    snapshotId: written.snapshotId.toString(),
    rowsAdded: written.rowsAdded.toString(),
    rowsRemoved: written.rowsRemoved?.toString() ?? null,
  };
}

/** What identifies a row of a feature table; null for another table. */
function naturalKeys(table: Table): readonly string[] | null {
  const declared = featureTableOf(table);
  return declared === null ? null : [...declared.entityKeys, declared.eventTime];
}

function lineageOf(
  sources: readonly { readonly tableUuid: string; readonly tableName: string; readonly snapshotId: bigint }[],
  to: { readonly tableUuid: string; readonly name: string; readonly snapshotId: bigint },
): readonly LineageEdgeDraft[] {
  return sources.map(({ tableUuid, tableName, snapshotId }) => ({
    from: { kind: 'TABLE', uuid: tableUuid, version: String(snapshotId), name: tableName },
    to: { kind: 'TABLE', uuid: to.tableUuid, version: String(to.snapshotId), name: to.name },
    runId: null,
    columns: [],
  }));
}
