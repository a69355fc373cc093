import { trainingBatchIpc } from '../resolvers/batch-bytes.ts';
import * as answer from '../resolvers/feed.ts';
import { builder } from './builder.ts';
import { TrainingFileConnection } from './connections.ts';
import { FeedOrder, TableSnapshot, TrainingBatch, TrainingFile, TrainingPlan, TrainingRowGroup } from './refs.ts';
import { TableRef } from './tables.ts';

export const Shuffle = builder.enumType('Shuffle', {
  values: ['NONE', 'WINDOWED', 'FULL'] as const,
});

export const TailPolicy = builder.enumType('TailPolicy', {
  values: ['SHORT', 'DROP'] as const,
});

export const FeedCompression = builder.enumType('FeedCompression', {
  values: ['NONE', 'LZ4', 'ZSTD'] as const,
});

export const TrainingSetRef = builder.inputType('TrainingSetRef', {
  fields: (t) => ({
    name: t.string({ required: true }),
    version: t.int(),
  }),
});

export const TrainingSource = builder.inputType('TrainingSource', {
  isOneOf: true,
  fields: (t) => ({
    trainingSet: t.field({ type: TrainingSetRef }),
    table: t.field({ type: TableRef }),
  }),
});

export const TrainingFeedInput = builder.inputType('TrainingFeedInput', {
  fields: (t) => ({
    source: t.field({ type: TrainingSource, required: true }),
    columns: t.field({ type: ['String'] }),
    where: t.string({
      description: "Comparisons, IN, IS NULL, IS NAN, LIKE 'prefix%', AND, OR and NOT over columns and literals.",
    }),
    split: t.string(),
    batchSize: t.int({ defaultValue: 65536 }),
    shuffle: t.field({ type: Shuffle, defaultValue: 'WINDOWED' }),
    seed: t.field({ type: 'BigInt', defaultValue: 0n }),
    epoch: t.int({ defaultValue: 0 }),
    lanes: t.int({
      defaultValue: 8,
      description: 'A power of two, at most 64. World sizes that divide it share out the reading.',
    }),
    rank: t.int({ defaultValue: 0 }),
    worldSize: t.int({ defaultValue: 1 }),
    tail: t.field({ type: TailPolicy, defaultValue: 'SHORT' }),
    compression: t.field({ type: FeedCompression, defaultValue: 'NONE', description: 'Of the IPC buffers.' }),
    cursor: t.string({ description: 'Goes on right after the global batch that this cursor ends, with any world size.' }),
  }),
});

builder.objectType(TrainingBatch, {
  fields: (t) => ({
    ipc: t.field({
      type: 'Bytes',
      description: 'An Arrow IPC stream of its own: schema, dictionaries where there are any, one record batch.',
      resolve: trainingBatchIpc,
    }),
    rowCount: t.exposeInt('rowCount'),
    epoch: t.exposeInt('epoch'),
    globalBatch: t.expose('globalBatch', {
      type: 'BigInt',
      description: 'Index of the global batch, counted from the cursor that was given.',
    }),
    rowsTotal: t.expose('rowsTotal', { type: 'BigInt' }),
    cursor: t.exposeString('cursor', { description: 'The end of this global batch: the same on every rank.' }),
    last: t.exposeBoolean('last', {
      description: "True on this rank's last batch of the epoch, which may be empty. A stream that ends without it was cut.",
    }),
  }),
});

builder.objectType(TrainingPlan, {
  fields: (t) => ({
    source: t.expose('source', { type: TableSnapshot }),
    schema: t.expose('schema', { type: 'Bytes' }),
    order: t.expose('order', { type: FeedOrder }),
    rowsTotal: t.expose('rowsTotal', { type: 'BigInt' }),
    start: t.exposeString('start', { description: 'The cursor to begin at.' }),
    files: t.field({
      type: TrainingFileConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      description: 'In the order of their groups.',
      resolve: answer.trainingPlanFiles,
    }),
    urlsExpireAt: t.expose('urlsExpireAtMicros', { type: 'DateTime', nullable: true }),
  }),
});

builder.objectType(FeedOrder, {
  description: 'All that a reader needs to make the same order: `algorithm` is icecore-order/1.',
  fields: (t) => ({
    algorithm: t.exposeString('algorithm'),
    shuffle: t.expose('shuffle', { type: Shuffle }),
    seed: t.expose('seed', { type: 'BigInt' }),
    epoch: t.exposeInt('epoch'),
    lanes: t.exposeInt('lanes'),
    blocks: t.expose('blocks', { type: 'BigInt' }),
  }),
});

builder.objectType(TrainingFile, {
  fields: (t) => ({
    path: t.exposeString('path'),
    url: t.exposeString('url'),
    rowGroups: t.expose('rowGroups', { type: [TrainingRowGroup] }),
    skippedRows: t.expose('skippedRows', {
      type: 'Bytes',
      nullable: true,
      description: 'Roaring bitmap of row positions in the file that are deleted or do not match.',
    }),
    fieldIds: t.expose('fieldIds', { type: ['Int'] }),
    constants: t.expose('constants', { type: 'JSON', description: 'Columns the file lacks, with their value.' }),
  }),
});

builder.objectType(TrainingRowGroup, {
  fields: (t) => ({
    ordinal: t.exposeInt('ordinal'),
    firstRow: t.field({ type: 'BigInt', resolve: ({ firstRow }) => BigInt(firstRow) }),
    rowCount: t.exposeInt('rowCount'),
    matchingRows: t.exposeInt('matchingRows'),
  }),
});

builder.queryFields((t) => ({
  trainingPlan: t.field({
    type: TrainingPlan,
    args: { input: t.arg({ type: TrainingFeedInput, required: true }) },
    description:
      'Files, row ranges, skipped rows, signed URLs and order for reading the same rows, in the same order, straight from object storage.',
    resolve: (_, args, context) => answer.trainingPlan(args, context),
  }),
}));

builder.subscriptionFields((t) => ({
  trainingBatches: t.field({
    type: TrainingBatch,
    args: { input: t.arg({ type: TrainingFeedInput, required: true }) },
    description:
      "With `Accept: application/vnd.apache.arrow.stream` the response is one Arrow IPC stream, raw; otherwise each event carries its batch.\nRaw, the schema's metadata holds `icecore.snapshot-id`, `icecore.rows-total` and `icecore.epoch`, and each batch's custom metadata\nholds `icecore.cursor`, `icecore.global-batch` and `icecore.last`. A failure in mid-stream resets the connection: it never ends it politely.",
    subscribe: (_, args, context) => answer.trainingBatches(args, context),
    resolve: (event) => event,
  }),
}));
