import { printJsonValue } from '../iceberg/json-value.ts';
import { specById } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { requireField } from '../iceberg/schema.ts';
import { specValueTypes } from '../iceberg/table-partitioning.ts';
import { parsePredicate } from '../sql/predicate.ts';
import { resolveAsOf, schemaAsOf } from '../tables/resolve-as-of.ts';
import { planSnapshot } from '../tables/snapshot-files.ts';
import type { AsOf, Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

export interface PlanRequest {
  readonly asOf?: AsOf;
  readonly select: readonly string[] | null;
  /** A predicate's text. */
  readonly where: string | null;
  readonly signal: AbortSignal;
}

export interface PlannedFile {
  readonly path: string;
  readonly format: string;
  readonly recordCount: bigint;
  readonly fileSizeInBytes: bigint;
  /** Values by partition field, in the contract's JSON forms. */
  readonly partition: Readonly<Record<string, unknown>>;
  readonly deleteFiles: readonly string[];
}

/** What a reader would have to open, and what pruning saved (contract, `ScanPlan`). */
export interface RowsPlan {
  readonly snapshotId: bigint | null;
  readonly filesTotal: bigint;
  readonly filesMatched: bigint;
  readonly bytesMatched: bigint;
  readonly rowsMatched: bigint;
  readonly manifestsRead: number;
  readonly manifestsSkipped: number;
  readonly files: readonly PlannedFile[];
}

/** Plans a read without reading rows. Throws BAD_USER_INPUT for an unknown column or a predicate that is none. */
export async function planRows(tables: Tables, table: Table, request: PlanRequest): Promise<RowsPlan> {
  const snapshot = resolveAsOf(table, request.asOf);
  const schema = schemaAsOf(table, request.asOf, snapshot);
  for (const column of request.select ?? []) requireField(schema, column);
  const where = request.where === null ? {} : { where: await parsePredicate(tables.duckdb, request.where, request.signal) };
  const { tasks, counters } = await planSnapshot(tables.files, table.metadata, snapshot, {
    schema,
    ...where,
    signal: request.signal,
  });
  return {
    snapshotId: snapshot?.snapshotId ?? null,
    filesTotal: BigInt(counters.filesTotal),
    filesMatched: BigInt(counters.filesMatched),
    bytesMatched: counters.bytesMatched,
    rowsMatched: counters.rowsMatched,
    manifestsRead: counters.manifestsRead,
    manifestsSkipped: counters.manifestsSkipped,
    files: tasks.map((task) => plannedFile(table, task)),
  };
}

function plannedFile({ metadata }: Table, { file, deletes }: FileScanTask): PlannedFile {
  const spec = specById(metadata, file.specId);
  const types = spec === undefined ? [] : specValueTypes(metadata, spec);
  const values = (spec?.fields ?? []).map(({ name }, index) => {
    const type = types[index];
    return [name, type === undefined ? null : printJsonValue(type, file.partition[index] ?? null)] as const;
  });
  return {
    path: file.filePath,
    format: file.fileFormat.toUpperCase(),
    recordCount: file.recordCount,
    fileSizeInBytes: file.fileSizeInBytes,
    partition: Object.fromEntries(values),
    deleteFiles: deletes.map((each) => each.filePath),
  };
}
