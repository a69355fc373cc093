import * as answer from '../resolvers/tables.ts';
import { printIdentifier } from '../src/iceberg/identifier.ts';
import { printNodeId } from '../src/node-id.ts';
import { builder } from './builder.ts';
import { DataFileConnection, SnapshotConnection, SnapshotRefConnection, TableConnection } from './connections.ts';
import {
  Column,
  ColumnStatistics,
  DataFile,
  DropTablePayload,
  HistogramBin,
  Node,
  PartitionField,
  RowPage,
  ScanPlan,
  Snapshot,
  Table,
  TablePayload,
  WriteRowsPayload,
} from './refs.ts';

export const TableKind = builder.enumType('TableKind', {
  values: ['TABLE', 'FEATURES', 'TRAINING_SET', 'PREDICTIONS', 'SYSTEM'] as const,
});

export const AsOf = builder.inputType('AsOf', {
  description:
    "A point in a table's history. A timestamp resolves through the table's snapshot log; one that the log no longer covers is an error, never a neighbour.",
  isOneOf: true,
  fields: (t) => ({
    snapshotId: t.field({ type: 'BigInt' }),
    timestamp: t.field({ type: 'DateTime' }),
    ref: t.string(),
  }),
});

export const TableRef = builder.inputType('TableRef', {
  fields: (t) => ({
    name: t.string({ required: true }),
    asOf: t.field({ type: AsOf }),
  }),
});

builder.objectType(Table, {
  description: 'An Apache Iceberg table. Any engine may have written it.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (table) => printNodeId('Table', table.uuid) }),
    name: t.string({
      description: 'Namespace and name joined by dots, `features.airport_hourly`; a part that holds a dot is in double quotes.',
      resolve: (table) => printIdentifier(table.identifier),
    }),
    uuid: t.exposeID('uuid'),
    kind: t.field({ type: TableKind, resolve: answer.tableKind }),
    location: t.string({ resolve: (table) => table.metadata.location }),
    formatVersion: t.int({ resolve: (table) => table.metadata.formatVersion }),
    columns: t.field({ type: [Column], args: { asOf: t.arg({ type: AsOf }) }, resolve: answer.tableColumns }),
    partitionFields: t.field({ type: [PartitionField], resolve: answer.tablePartitionFields }),
    properties: t.field({ type: 'JSON', resolve: (table) => table.metadata.properties }),
    currentSnapshot: t.field({ type: Snapshot, nullable: true, resolve: answer.tableCurrentSnapshot }),
    snapshot: t.field({
      type: Snapshot,
      nullable: true,
      args: { asOf: t.arg({ type: AsOf, required: true }) },
      description: 'Null where the table had no snapshot yet at that point.',
      resolve: answer.tableSnapshot,
    }),
    snapshots: t.field({
      type: SnapshotConnection,
      args: { first: t.arg.int(), after: t.arg.string(), last: t.arg.int(), before: t.arg.string() },
      description: 'Newest first.',
      resolve: answer.tableSnapshots,
    }),
    refs: t.field({
      type: SnapshotRefConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.tableRefs,
    }),
    rows: t.field({
      type: RowPage,
      args: {
        asOf: t.arg({ type: AsOf }),
        select: t.arg({ type: ['String'] }),
        where: t.arg.string(),
        first: t.arg.int({ defaultValue: 100 }),
        after: t.arg.string(),
      },
      description: 'A page of rows in a stable order bound to one snapshot.',
      resolve: answer.tableRows,
    }),
    scanPlan: t.field({
      type: ScanPlan,
      args: { asOf: t.arg({ type: AsOf }), select: t.arg({ type: ['String'] }), where: t.arg.string() },
      description: 'What a reader would have to open, and what pruning saved.',
      resolve: answer.tableScanPlan,
    }),
  }),
});

builder.objectType(Column, {
  fields: (t) => ({
    fieldId: t.exposeInt('fieldId'),
    name: t.exposeString('name'),
    type: t.exposeString('type'),
    required: t.exposeBoolean('required'),
    doc: t.exposeString('doc', { nullable: true }),
    statistics: t.field({
      type: ColumnStatistics,
      nullable: true,
      args: { asOf: t.arg({ type: AsOf }) },
      resolve: answer.columnStatistics,
    }),
  }),
});

builder.objectType(ColumnStatistics, {
  fields: (t) => ({
    rowCount: t.expose('rowCount', { type: 'BigInt' }),
    nullCount: t.expose('nullCount', { type: 'BigInt' }),
    distinctCount: t.expose('distinctCount', { type: 'BigInt', nullable: true }),
    min: t.expose('min', { type: 'JSON', nullable: true }),
    max: t.expose('max', { type: 'JSON', nullable: true }),
    mean: t.exposeFloat('mean', { nullable: true }),
    stddev: t.exposeFloat('stddev', { nullable: true }),
    quantiles: t.expose('quantiles', { type: ['Float'], nullable: true }),
    histogram: t.expose('histogram', { type: [HistogramBin], nullable: true }),
  }),
});

builder.objectType(HistogramBin, {
  fields: (t) => ({
    lower: t.exposeFloat('lower'),
    upper: t.exposeFloat('upper'),
    count: t.expose('count', { type: 'BigInt' }),
  }),
});

builder.objectType(PartitionField, {
  fields: (t) => ({
    name: t.exposeString('name'),
    column: t.exposeString('column'),
    transform: t.exposeString('transform'),
  }),
});

builder.objectType(RowPage, {
  description: 'Rows as JSON objects, keyed by column name.',
  fields: (t) => ({
    snapshotId: t.expose('snapshotId', { type: 'BigInt', nullable: true }),
    columns: t.expose('columns', { type: [Column] }),
    rows: t.expose('rows', { type: ['JSON'] }),
    endCursor: t.exposeString('endCursor', { nullable: true }),
    hasNextPage: t.exposeBoolean('hasNextPage'),
  }),
});

builder.objectType(ScanPlan, {
  fields: (t) => ({
    snapshotId: t.expose('snapshotId', { type: 'BigInt', nullable: true }),
    filesTotal: t.expose('filesTotal', { type: 'BigInt' }),
    filesMatched: t.expose('filesMatched', { type: 'BigInt' }),
    bytesMatched: t.expose('bytesMatched', { type: 'BigInt' }),
    rowsMatched: t.expose('rowsMatched', { type: 'BigInt' }),
    manifestsRead: t.exposeInt('manifestsRead'),
    manifestsSkipped: t.exposeInt('manifestsSkipped'),
    files: t.field({
      type: DataFileConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.scanPlanFiles,
    }),
  }),
});

builder.objectType(DataFile, {
  fields: (t) => ({
    path: t.exposeString('path'),
    format: t.exposeString('format'),
    recordCount: t.expose('recordCount', { type: 'BigInt' }),
    fileSizeInBytes: t.expose('fileSizeInBytes', { type: 'BigInt' }),
    partition: t.expose('partition', { type: 'JSON' }),
    deleteFiles: t.expose('deleteFiles', { type: ['String'] }),
  }),
});

export const ColumnInput = builder.inputType('ColumnInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    type: t.string({
      required: true,
      description: 'An Iceberg type: long, double, string, timestamp, timestamptz, decimal(10,2), list<double>, …',
    }),
    required: t.boolean({ defaultValue: false }),
    doc: t.string(),
  }),
});

export const PartitionFieldInput = builder.inputType('PartitionFieldInput', {
  fields: (t) => ({
    column: t.string({ required: true }),
    transform: t.string({ required: true, defaultValue: 'identity' }),
  }),
});

export const CreateTableInput = builder.inputType('CreateTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    columns: t.field({ type: [ColumnInput], required: true }),
    partitionBy: t.field({ type: [PartitionFieldInput] }),
    properties: t.field({ type: 'JSON' }),
    formatVersion: t.int({ defaultValue: 2 }),
  }),
});

export const RenameColumnInput = builder.inputType('RenameColumnInput', {
  fields: (t) => ({
    from: t.string({ required: true }),
    to: t.string({ required: true }),
  }),
});

export const SetDocInput = builder.inputType('SetDocInput', {
  fields: (t) => ({
    column: t.string({ required: true }),
    doc: t.string(),
  }),
});

export const TableChange = builder.inputType('TableChange', {
  isOneOf: true,
  fields: (t) => ({
    addColumn: t.field({ type: ColumnInput }),
    renameColumn: t.field({ type: RenameColumnInput }),
    dropColumn: t.string(),
    widenColumn: t.field({ type: ColumnInput }),
    setDoc: t.field({ type: SetDocInput }),
    setPartitioning: t.field({ type: [PartitionFieldInput] }),
    setProperties: t.field({ type: 'JSON' }),
    removeProperties: t.field({ type: ['String'] }),
    upgradeFormatVersion: t.int(),
  }),
});

export const AlterTableInput = builder.inputType('AlterTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    changes: t.field({ type: [TableChange], required: true }),
  }),
});

export const DropTableInput = builder.inputType('DropTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    purge: t.boolean({ defaultValue: false }),
  }),
});

builder.objectType(TablePayload, {
  fields: (t) => ({
    table: t.expose('table', { type: Table }),
  }),
});

builder.objectType(DropTablePayload, {
  fields: (t) => ({
    name: t.exposeString('name'),
  }),
});

export const RowsInput = builder.inputType('RowsInput', {
  description:
    '`file` is a path or URL under a root that the server allows. Larger uploads: `POST /tables/NAME/rows`, an Arrow stream as the body.',
  isOneOf: true,
  fields: (t) => ({
    json: t.field({ type: ['JSON'] }),
    arrow: t.field({ type: 'Bytes' }),
    file: t.string(),
    sql: t.string(),
  }),
});

export const WriteMode = builder.enumType('WriteMode', {
  values: ['APPEND', 'UPSERT', 'DELETE', 'OVERWRITE'] as const,
});

export const WriteRowsInput = builder.inputType('WriteRowsInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    branch: t.string({ defaultValue: 'main' }),
    rows: t.field({ type: RowsInput, required: true }),
    mode: t.field({ type: WriteMode, required: true, defaultValue: 'APPEND' }),
    keys: t.field({
      type: ['String'],
      description:
        "The columns that identify a row for UPSERT and DELETE; a feature table's entity keys and event time where left out.",
    }),
    expectedSnapshotId: t.field({ type: 'BigInt', description: "CONFLICT unless this is still the branch's snapshot." }),
  }),
});

builder.objectType(WriteRowsPayload, {
  fields: (t) => ({
    snapshot: t.expose('snapshot', { type: Snapshot }),
    rowsAdded: t.expose('rowsAdded', { type: 'BigInt' }),
    rowsRemoved: t.expose('rowsRemoved', { type: 'BigInt' }),
  }),
});

builder.queryFields((t) => ({
  table: t.field({
    type: Table,
    nullable: true,
    args: { name: t.arg.string({ required: true }) },
    resolve: (_, args, context) => answer.table(args, context),
  }),
  tables: t.field({
    type: TableConnection,
    args: { namespace: t.arg.string(), kind: t.arg({ type: TableKind }), first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.tables(args, context),
  }),
}));

builder.mutationFields((t) => ({
  createTable: t.field({
    type: TablePayload,
    args: { input: t.arg({ type: CreateTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.createTable(input, context),
  }),
  alterTable: t.field({
    type: TablePayload,
    args: { input: t.arg({ type: AlterTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.alterTable(input, context),
  }),
  dropTable: t.field({
    type: DropTablePayload,
    args: { input: t.arg({ type: DropTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.dropTable(input, context),
  }),
  writeRows: t.field({
    type: WriteRowsPayload,
    args: { input: t.arg({ type: WriteRowsInput, required: true }) },
    description: 'Appends, upserts, deletes or overwrites rows as one snapshot.',
    resolve: (_, { input }, context) => answer.writeRows(input, context),
  }),
}));
