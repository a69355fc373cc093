import * as answer from '../resolvers/training.ts';
import { printNodeId } from '../src/node-id.ts';
import { builder } from './builder.ts';
import { ModelVersionConnection, TrainingSetConnection } from './connections.ts';
import { PointInTimeOptionsInput, SpineInput } from './point-in-time.ts';
import {
  Actor,
  FeatureSet,
  Node,
  PointInTimeOptions,
  ReproductionRun,
  ReproductionRunPayload,
  TableSnapshot,
  TrainingSet,
  TrainingSetRun,
  TrainingSetRunPayload,
} from './refs.ts';
import { TableRef } from './tables.ts';

builder.objectType(TrainingSet, {
  description: 'A spine joined point in time to a feature set, written as an Iceberg table, tagged, and digested.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (set) => printNodeId('TrainingSet', set.name, String(set.version)) }),
    name: t.exposeString('name'),
    version: t.exposeInt('version'),
    data: t.expose('data', {
      type: TableSnapshot,
      description: "The rows, with the spine's columns, `spine_position`, the features, and `split` where one was asked for.",
    }),
    spine: t.expose('spine', { type: TableSnapshot }),
    labels: t.expose('labels', { type: ['String'] }),
    sources: t.field({ type: [TableSnapshot], resolve: answer.trainingSetSources }),
    featureSet: t.field({ type: FeatureSet, resolve: answer.trainingSetFeatureSet }),
    options: t.expose('options', { type: PointInTimeOptions }),
    rowCount: t.expose('rowCount', { type: 'BigInt' }),
    digest: t.exposeString('digest', { description: 'The same pins, feature set and options give the same digest.' }),
    redacted: t.exposeBoolean('redacted', { description: 'True where rows it rests on were erased.' }),
    createdAt: t.expose('createdAtMicros', { type: 'DateTime' }),
    createdBy: t.expose('createdBy', { type: Actor }),
    modelVersions: t.field({
      type: ModelVersionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.trainingSetModelVersions,
    }),
  }),
});

export const HashSplitInput = builder.inputType('HashSplitInput', {
  description: 'Shares by a published hash of the columns, so that an entity is in one split only.',
  fields: (t) => ({
    columns: t.field({ type: ['String'], required: true }),
    seed: t.field({ type: 'BigInt', defaultValue: 0n }),
    shares: t.field({ type: [SplitShareInput], required: true }),
  }),
});

export const SplitShareInput = builder.inputType('SplitShareInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    share: t.float({ required: true }),
  }),
});

export const TimeSplitInput = builder.inputType('TimeSplitInput', {
  description: 'From inclusive, to exclusive.',
  fields: (t) => ({
    name: t.string({ required: true }),
    from: t.field({ type: 'DateTime' }),
    to: t.field({ type: 'DateTime' }),
  }),
});

export const SplitInput = builder.inputType('SplitInput', {
  isOneOf: true,
  fields: (t) => ({
    byHash: t.field({ type: HashSplitInput }),
    byTime: t.field({ type: [TimeSplitInput] }),
  }),
});

export const CreateTrainingSetInput = builder.inputType('CreateTrainingSetInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    spine: t.field({ type: SpineInput, required: true }),
    featureSet: t.string({ required: true }),
    featureSetVersion: t.int({ required: true }),
    pins: t.field({ type: [TableRef], description: 'Snapshots to read feature tables at; the current ones where left out.' }),
    options: t.field({ type: PointInTimeOptionsInput }),
    split: t.field({ type: SplitInput }),
  }),
});

builder.objectType(TrainingSetRunPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: TrainingSetRun }),
  }),
});

export const ReproduceTrainingSetInput = builder.inputType('ReproduceTrainingSetInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    version: t.int({ required: true }),
  }),
});

builder.objectType(ReproductionRunPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: ReproductionRun }),
  }),
});

builder.queryFields((t) => ({
  trainingSet: t.field({
    type: TrainingSet,
    nullable: true,
    args: { name: t.arg.string({ required: true }), version: t.arg.int() },
    resolve: (_, args, context) => answer.trainingSet(args, context),
  }),
  trainingSets: t.field({
    type: TrainingSetConnection,
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.trainingSets(args, context),
  }),
}));

builder.mutationFields((t) => ({
  createTrainingSet: t.field({
    type: TrainingSetRunPayload,
    args: { input: t.arg({ type: CreateTrainingSetInput, required: true }) },
    resolve: (_, { input }, context) => answer.createTrainingSet(input, context),
  }),
  reproduceTrainingSet: t.field({
    type: ReproductionRunPayload,
    args: { input: t.arg({ type: ReproduceTrainingSetInput, required: true }) },
    description: 'Rebuilds a training set from its pins and compares.',
    resolve: (_, { input }, context) => answer.reproduceTrainingSet(input, context),
  }),
}));
