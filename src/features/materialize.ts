import type { DuckDBConnection } from '@duckdb/node-api';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, currentSnapshot, type TableMetadata } from '../iceberg/metadata.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import type { NestedField } from '../iceberg/type.ts';
import { commitAttemptsMax, jobStatementMsMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { recordedInput } from '../runs/recorded-input.ts';
import type { RunContext } from '../runs/run-handler.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { withSelect } from '../sql/query.ts';
import { parseSelect } from '../sql/select.ts';
import { replaceFiles } from '../tables/actions/replace-files.ts';
import { writeDataFiles } from '../tables/data-file-writer.ts';
import { openScan } from '../tables/scan-relation.ts';
import { openSelect, resolveSources } from '../tables/select-sources.ts';
import { planSnapshot } from '../tables/snapshot-files.ts';
import type { Table } from '../tables/table.ts';
import type { TableAction } from '../tables/table-action.ts';
import type { Tables } from '../tables/tables.ts';
import { type EventWindow, inWindow, inWindowSql } from './event-window.ts';
import { materializedToProperty, parseDeclaration } from './feature-declaration.ts';
import { type SourceColumns, sourceColumns } from './source-columns.ts';

export interface MaterializeEngine {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  readonly audit: Audit;
  readonly lineage: Lineage;
}

/** What a run of `materializeFeatures` records as its input. */
export interface RecordedMaterialization extends EventWindow {
  readonly tableUuid: string;
  /** As it was when the run was asked for. */
  readonly definition: string;
}

/**
 * The work of a run of `materializeFeatures`: the definition over the snapshots of its tables, rows of the window alone, in the place of
 * the window's rows, as one snapshot with its lineage.
 */
export async function materialize(engine: MaterializeEngine, context: RunContext): Promise<void> {
  const input = recordedInput(context.input, new Set(['fromMicros', 'toMicros'])) as RecordedMaterialization;
  const { tables, duckdb } = engine;
  const select = await parseSelect(duckdb, input.definition, context.signal);
  const sources = await resolveSources(tables, select);
  const open = await openSelect(tables, select, sources, context.signal);
  try {
    for (let attempt = 1; ; attempt++) {
      const table = await requireTable(tables, input.tableUuid);
      const options = { timeoutMs: jobStatementMsMax, signal: context.signal };
      const { files, rowCount } = await withSelect(duckdb, open.bound, options, (connection, sql) =>
        writeDataFiles(tables, {
          connection,
          relation: `(SELECT * FROM (${sql}) AS computed WHERE ${inWindowSql(eventColumn(table.metadata), input)})`,
          metadata: table.metadata,
          signal: context.signal,
        }),
      );
      context.progress(rowCount, rowCount);
      try {
        const edges = sourceColumns(select, sources);
        return await commitWindow(engine, context, { table, window: input, files, rowCount, edges });
      } catch (error) {
        // The table moved on meanwhile: what is kept of it has to be read again.
        if (!IcecoreError.is(error, 'CONFLICT') || !error.retryable || attempt >= commitAttemptsMax) throw error;
        context.signal.throwIfAborted();
      }
    }
  } finally {
    open.release();
  }
}

interface ComputedWindow {
  readonly table: Table;
  readonly window: EventWindow;
  readonly files: readonly DataFile[];
  readonly rowCount: bigint;
  readonly edges: readonly SourceColumns[];
}

async function commitWindow(engine: MaterializeEngine, context: RunContext, computed: ComputedWindow): Promise<void> {
  const { tables, audit, lineage } = engine;
  const { table, window, files, rowCount } = computed;
  const sources = computed.edges.map(({ source }) => source);
  const transaction = context.transaction();
  transaction.onRollback(files.map((file) => file.filePath));
  try {
    const { removed, kept } = await tables.duckdb.trusted.use(
      (connection) => keepOutside(tables, connection, table, window, context.signal),
      context.signal,
    );
    transaction.onRollback(kept.map((file) => file.filePath));
    const snapshotId = newSnapshotId();
    transaction.change(
      table,
      replaceFiles({
        operation: 'overwrite',
        snapshotId,
        removed,
        added: [...kept, ...files],
        readFrom: table.metadata.currentSnapshotId,
        summary: { 'icecore.run-id': context.run.id },
      }),
    );
    transaction.change(table, advanceTo(window.toMicros));
    const name = printIdentifier(table.identifier);
    const target = { kind: 'TABLE', uuid: table.uuid, version: snapshotId.toString(), name } as const;
    const edges = computed.edges.map(({ source, columns }) => ({
      from: { kind: 'TABLE', uuid: source.tableUuid, version: source.snapshotId.toString(), name: source.tableName } as const,
      to: target,
      runId: context.run.id,
      columns,
    }));
    for (const edge of lineage.drafts(edges, context.caller)) transaction.entry(edge);
    const { fromMicros, toMicros } = window;
    const payload = {
      featureTable: name,
      snapshotId,
      fromMicros,
      toMicros,
      rows: rowCount,
      sources: sources.map(({ tableName, snapshotId: version }) => ({ table: tableName, snapshotId: version })),
      runId: context.run.id,
    };
    const subject = auditSubject(target);
    transaction.link(
      audit.link({ caller: context.caller, action: 'materializeFeatures', subject, outcome: 'SUCCEEDED', payload }),
    );
    context.finish(transaction, {
      result: { featureTable: name, fromMicros, toMicros, rows: rowCount },
      inputs: sources,
      outputs: [{ tableUuid: table.uuid, tableName: name, snapshotId }],
    });
  } catch (error) {
    await transaction.discard();
    throw error;
  }
  await transaction.commit();
}

/** The files that may hold rows of the window go; what they hold besides is written anew. */
async function keepOutside(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  window: EventWindow,
  signal: AbortSignal,
): Promise<{ readonly removed: readonly string[]; readonly kept: readonly DataFile[] }> {
  const schema = currentSchema(table.metadata);
  const column = eventColumn(table.metadata);
  const head = currentSnapshot(table.metadata) ?? null;
  const plan = await planSnapshot(tables.files, table.metadata, head, { schema, where: inWindow(column, window), signal });
  const scan = await openScan(tables, { table, isKept: true }, schema, plan);
  try {
    const { files } = await writeDataFiles(tables, {
      connection,
      relation: `(SELECT * FROM ${scan.sql} AS old WHERE ${inWindowSql(column, window)} IS NOT TRUE)`,
      metadata: table.metadata,
      signal,
    });
    return { removed: plan.tasks.map(({ file }) => file.filePath), kept: files };
  } finally {
    scan.release();
  }
}

/** Where the next run goes on, unless a later one was there before. */
function advanceTo(toMicros: bigint): TableAction {
  return {
    name: 'materialized to',
    async apply(base) {
      const before = materializedTo(base);
      if (before !== null && before >= toMicros) return { updates: [], requirements: [] };
      return {
        updates: [{ action: 'set-properties', updates: { [materializedToProperty]: toMicros.toString() } }],
        requirements: [],
      };
    },
  };
}

/** The end of the latest window that was materialised, or null. */
export function materializedTo(metadata: TableMetadata): bigint | null {
  const text = metadata.properties[materializedToProperty];
  return text === undefined || !/^-?\d{1,19}$/.test(text) ? null : BigInt(text);
}

function eventColumn(metadata: TableMetadata): NestedField {
  const declaration = parseDeclaration(metadata);
  const field = currentSchema(metadata).fields.find(({ id }) => id === declaration?.eventTime.id);
  if (field !== undefined) return field;
  throw new IcecoreError('FAILED_PRECONDITION', 'The table has lost its event time. Declare it again with createFeatureTable.');
}

async function requireTable(tables: Tables, uuid: string): Promise<Table> {
  const table = await tables.findByUuid(uuid);
  if (table !== null) return table;
  throw new IcecoreError('NOT_FOUND', 'The feature table was dropped.');
}
