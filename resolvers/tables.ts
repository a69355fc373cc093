import { IcecoreError } from '../src/errors.ts';
import { isFeatureTable } from '../src/features/feature-declaration.ts';
import { parseIdentifier, printIdentifier } from '../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot, defaultSpec } from '../src/iceberg/metadata.ts';
import { columnPath } from '../src/iceberg/schema.ts';
import type { NestedField } from '../src/iceberg/type.ts';
import { printTypeText } from '../src/iceberg/type-text.ts';
import { type PlannedFile, planRows, type RowsPlan } from '../src/lakehouse/scan-plan.ts';
import type { TableChange } from '../src/lakehouse/table-change.ts';
import { ledgerNamespace } from '../src/ledger/ledger-identifier.ts';
import { predictionsLayout } from '../src/scoring/predictions-table.ts';
import { columnStatistics as statisticsOf } from '../src/tables/column-statistics.ts';
import { resolveAsOf, schemaAsOf } from '../src/tables/resolve-as-of.ts';
import { readRows } from '../src/tables/row-page.ts';
import type { Table } from '../src/tables/table.ts';
import type { WriteMode } from '../src/tables/write-rows.ts';
import { type AsOfInput, asOfOf, atPoint } from './as-of.ts';
import {
  type Connection,
  connectionFrom,
  connectionOfAll,
  orderedKey,
  type PageArgs,
  type TwoWayPageArgs,
} from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { mutate } from './mutation.ts';
import type {
  ColumnStatisticsView,
  ColumnView,
  PartitionFieldView,
  RowPageView,
  SnapshotRefView,
  SnapshotView,
} from './views.ts';

type TableKind = 'TABLE' | 'FEATURES' | 'TRAINING_SET' | 'PREDICTIONS' | 'SYSTEM';

/** By the namespace that only Icecore writes, and by what the table's own properties declare. */
export function tableKind({ identifier, metadata }: Table): TableKind {
  if (identifier.namespace[0] === ledgerNamespace) return 'SYSTEM';
  if (isFeatureTable(metadata)) return 'FEATURES';
  if (predictionsLayout(metadata) !== null) return 'PREDICTIONS';
  const isTrainingSet = identifier.namespace.length === 1 && identifier.namespace[0] === 'training';
  return isTrainingSet && !identifier.name.endsWith('__spine') ? 'TRAINING_SET' : 'TABLE';
}

export function columnView(table: Table, { id, name, type, required, doc }: NestedField): ColumnView {
  return { table, fieldId: id, name, type: printTypeText(type), required, doc: doc ?? null };
}

export function tableColumns(table: Table, args: { readonly asOf?: Given<AsOfInput> }): readonly ColumnView[] {
  const asOf = asOfOf(args.asOf);
  return schemaAsOf(table, asOf, resolveAsOf(table, asOf)).fields.map((field) => columnView(table, field));
}

export function tablePartitionFields({ metadata }: Table): readonly PartitionFieldView[] {
  const schema = currentSchema(metadata);
  return defaultSpec(metadata).fields.map(({ name, sourceId, transform }) => ({
    name,
    // A field whose column was dropped is left behind as void.
    column: columnPath(schema, sourceId) ?? '',
    transform,
  }));
}

export function tableCurrentSnapshot(table: Table): SnapshotView | null {
  const snapshot = currentSnapshot(table.metadata);
  return snapshot === undefined ? null : { table, snapshot };
}

export function tableSnapshot(table: Table, args: { readonly asOf: AsOfInput }): SnapshotView | null {
  const snapshot = resolveAsOf(table, asOfOf(args.asOf));
  return snapshot === null ? null : { table, snapshot };
}

export function tableSnapshots(table: Table, args: TwoWayPageArgs): Connection<SnapshotView> {
  const key = ({ snapshot }: SnapshotView): string => `${orderedKey(snapshot.timestampMs)}/${orderedKey(snapshot.snapshotId)}`;
  const views = table.metadata.snapshots.map((snapshot) => ({ table, snapshot }));
  return connectionOfAll(
    views.toSorted((a, b) => (key(a) < key(b) ? 1 : -1)),
    args,
    key,
    true,
  );
}

export function snapshotRefView(table: Table, name: string): SnapshotRefView | null {
  const ref = Object.hasOwn(table.metadata.refs, name) ? table.metadata.refs[name] : undefined;
  if (ref === undefined) return null;
  return {
    table,
    name,
    type: ref.type === 'branch' ? 'BRANCH' : 'TAG',
    snapshotId: ref.snapshotId,
    maxRefAgeMicros: ref.maxRefAgeMs === undefined ? null : ref.maxRefAgeMs * 1000n,
  };
}

export function tableRefs(table: Table, args: PageArgs): Connection<SnapshotRefView> {
  const names = Object.keys(table.metadata.refs).toSorted();
  const views = names.flatMap((name) => snapshotRefView(table, name) ?? []);
  return connectionOfAll(views, args, ({ name }) => name);
}

interface RowsArgs {
  readonly asOf?: Given<AsOfInput>;
  readonly select?: Given<readonly string[]>;
  readonly where?: Given<string>;
  readonly first?: Given<number>;
  readonly after?: Given<string>;
}

export async function tableRows(table: Table, args: RowsArgs, { icecore, signal }: ApiContext): Promise<RowPageView> {
  const page = await readRows(icecore.tables, table, {
    ...atPoint(args.asOf),
    ...(args.select == null ? {} : { select: args.select }),
    ...(args.where == null ? {} : { where: args.where }),
    ...(args.first == null ? {} : { first: args.first }),
    ...(args.after == null ? {} : { after: args.after }),
    signal,
  });
  return { ...page, columns: page.columns.map((field) => columnView(table, field)) };
}

export function tableScanPlan(table: Table, args: RowsArgs, { icecore, signal }: ApiContext): Promise<RowsPlan> {
  return planRows(icecore.tables, table, {
    ...atPoint(args.asOf),
    select: args.select ?? null,
    where: args.where ?? null,
    signal,
  });
}

export function scanPlanFiles(plan: RowsPlan, args: PageArgs): Connection<PlannedFile> {
  const numbered = plan.files.map((file, index) => ({ file, key: orderedKey(index) }));
  const page = connectionOfAll(numbered, args, ({ key }) => key);
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: node.file })) };
}

export function columnStatistics(
  column: ColumnView,
  args: { readonly asOf?: Given<AsOfInput> },
  { icecore, signal }: ApiContext,
): Promise<ColumnStatisticsView> {
  return statisticsOf(icecore.tables, column.table, column.name, { ...atPoint(args.asOf), signal });
}

export async function table({ name }: { readonly name: string }, { icecore }: ApiContext): Promise<Table | null> {
  const identifier = parseIdentifier(name);
  if (!icecore.access.mayRead(identifier)) return null;
  // What waits in the journal for one of Icecore's own tables counts as in it.
  if (identifier.namespace[0] === ledgerNamespace) await icecore.ledger.flush(printIdentifier(identifier));
  return icecore.tables.find(identifier);
}

export function tables(
  args: PageArgs & { readonly namespace?: Given<string>; readonly kind?: Given<TableKind> },
  { icecore, signal }: ApiContext,
): Promise<Connection<Table>> {
  const namespace = args.namespace == null ? {} : { namespace: namespaceOf(args.namespace) };
  return connectionFrom(
    args,
    (found) => printIdentifier(found.identifier),
    async ({ first, after }) => {
      const found: Table[] = [];
      for (let from = after; ; ) {
        signal.throwIfAborted();
        const some = await icecore.tables.list({ ...namespace, ...(from === null ? {} : { after: from }), limit: first });
        found.push(...some.filter((each) => args.kind == null || tableKind(each) === args.kind));
        const last = some.at(-1);
        if (found.length >= first || last === undefined || some.length < first) return found.slice(0, first);
        from = printIdentifier(last.identifier);
      }
    },
  );
}

/** Parts of a namespace are written as those of a table's name. */
function namespaceOf(text: string): readonly string[] {
  return text === '' ? [] : parseIdentifier(`${text}.t`).namespace;
}

interface ColumnInput {
  readonly name: string;
  readonly type: string;
  readonly required?: Given<boolean>;
  readonly doc?: Given<string>;
}

interface PartitionFieldInput {
  readonly column: string;
  readonly transform: string;
}

interface CreateTableInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly columns: readonly ColumnInput[];
  readonly partitionBy?: Given<readonly PartitionFieldInput[]>;
  readonly properties?: unknown;
  readonly formatVersion?: Given<number>;
}

export function createTable(input: CreateTableInput, context: ApiContext): Promise<{ readonly table: Table }> {
  return mutate(context, 'createTable', input, async (call) => ({
    table: await context.icecore.tableOperations.createTable(call, input.name, {
      columns: input.columns.map(columnDefinition),
      partitionBy: input.partitionBy ?? [],
      properties: propertiesOf(input.properties),
      formatVersion: formatVersionOf(input.formatVersion ?? 2),
    }),
  }));
}

export function columnDefinition({ name, type, required, doc }: ColumnInput) {
  return { name, type, required: required ?? false, ...(doc == null ? {} : { doc }) };
}

interface TableChangeInput {
  readonly addColumn?: Given<ColumnInput>;
  readonly renameColumn?: Given<{ readonly from: string; readonly to: string }>;
  readonly dropColumn?: Given<string>;
  readonly widenColumn?: Given<ColumnInput>;
  readonly setDoc?: Given<{ readonly column: string; readonly doc?: Given<string> }>;
  readonly setPartitioning?: Given<readonly PartitionFieldInput[]>;
  readonly setProperties?: unknown;
  readonly removeProperties?: Given<readonly string[]>;
  readonly upgradeFormatVersion?: Given<number>;
}

interface AlterTableInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly changes: readonly TableChangeInput[];
}

export function alterTable(input: AlterTableInput, context: ApiContext): Promise<{ readonly table: Table }> {
  return mutate(context, 'alterTable', input, async (call) => ({
    table: await context.icecore.tableOperations.alterTable(call, input.name, input.changes.map(tableChange)),
  }));
}

function tableChange(input: TableChangeInput): TableChange {
  if (input.addColumn != null) return { kind: 'column', change: { kind: 'add', column: columnDefinition(input.addColumn) } };
  if (input.renameColumn != null) return { kind: 'column', change: { kind: 'rename', ...input.renameColumn } };
  if (input.dropColumn != null) return { kind: 'column', change: { kind: 'drop', column: input.dropColumn } };
  if (input.widenColumn != null) {
    return { kind: 'column', change: { kind: 'widen', column: input.widenColumn.name, type: input.widenColumn.type } };
  }
  if (input.setDoc != null) {
    return { kind: 'column', change: { kind: 'set-doc', column: input.setDoc.column, doc: input.setDoc.doc ?? null } };
  }
  if (input.setPartitioning != null) return { kind: 'partitioning', fields: input.setPartitioning };
  if (input.setProperties != null) return { kind: 'properties', set: propertiesOf(input.setProperties), remove: [] };
  if (input.removeProperties != null) {
    return { kind: 'properties', set: {}, remove: input.removeProperties.filter((name) => isOpen(name)) };
  }
  return { kind: 'format-version', version: formatVersionOf(input.upgradeFormatVersion ?? 0) };
}

/** Icecore's own properties have operations of their own, which check what they say. */
function isOpen(name: string): true {
  if (!name.startsWith('icecore.')) return true;
  throw new IcecoreError('BAD_USER_INPUT', `The property ${name} is Icecore's own; change it by the operation it belongs to.`);
}

/** Iceberg's properties are texts; numbers and booleans are taken as theirs. */
function propertiesOf(value: unknown): Readonly<Record<string, string>> {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      'Properties are an object of texts, such as {"write.parquet.compression-codec": "zstd"}.',
    );
  }
  const properties: Record<string, string> = {};
  for (const [name, member] of Object.entries(value)) {
    isOpen(name);
    if (!['string', 'number', 'boolean'].includes(typeof member)) {
      throw new IcecoreError('BAD_USER_INPUT', `The property ${name} must be a text.`);
    }
    properties[name] = String(member);
  }
  return properties;
}

function formatVersionOf(version: number): 1 | 2 | 3 {
  if (version === 1 || version === 2 || version === 3) return version;
  throw new IcecoreError('BAD_USER_INPUT', `There is no Iceberg format version ${version}: use 2.`);
}

export function dropTable(
  input: { readonly idempotencyKey?: Given<string>; readonly name: string; readonly purge?: Given<boolean> },
  context: ApiContext,
): Promise<{ readonly name: string }> {
  return mutate(context, 'dropTable', input, async (call) => {
    await context.icecore.tableOperations.dropTable(call, input.name, input.purge ?? false);
    return { name: input.name };
  });
}

interface WriteRowsInput {
  readonly idempotencyKey?: Given<string>;
  readonly table: string;
  readonly branch?: Given<string>;
  readonly rows: {
    readonly json?: Given<readonly unknown[]>;
    readonly arrow?: Given<Uint8Array>;
    readonly file?: Given<string>;
    readonly sql?: Given<string>;
  };
  readonly mode: WriteMode;
  readonly keys?: Given<readonly string[]>;
  readonly expectedSnapshotId?: Given<bigint>;
}

export function writeRows(input: WriteRowsInput, context: ApiContext) {
  return mutate(context, 'writeRows', input, async (call) => {
    const write = {
      table: input.table,
      branch: input.branch ?? 'main',
      rows: givenRows(input.rows),
      mode: input.mode,
      keys: input.keys ?? null,
      expectedSnapshotId: input.expectedSnapshotId ?? null,
    };
    const { table, snapshot, rowsAdded, rowsRemoved } = await context.icecore.rowWrites.write(call, write, context.signal);
    return { snapshot: { table, snapshot }, rowsAdded, rowsRemoved };
  });
}

function givenRows({ json, arrow, file, sql }: WriteRowsInput['rows']) {
  if (arrow != null) return { arrow: oneChunk(arrow) };
  if (file != null) return { file };
  if (sql != null) return { sql };
  return { json: json ?? [] };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
