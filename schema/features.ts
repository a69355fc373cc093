import * as answer from '../resolvers/features.ts';
import { printNodeId } from '../src/node-id.ts';
import { builder } from './builder.ts';
import { FeatureConnection, FeatureSetConnection, FeatureTableConnection, ModelVersionConnection } from './connections.ts';
import { PointInTimeOptionsInput } from './point-in-time.ts';
import {
  Actor,
  Column,
  Feature,
  FeatureRef,
  FeatureSet,
  FeatureSetPayload,
  FeatureTable,
  FeatureTablePayload,
  FeatureVectors,
  JobRunPayload,
  KeyMapping,
  Node,
  Table,
  TableSnapshot,
} from './refs.ts';
import { ColumnInput, PartitionFieldInput, TableRef } from './tables.ts';

builder.objectType(FeatureTable, {
  description:
    "An ordinary Iceberg table with declared entity keys and an event time. The declaration lives in the table's own properties.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (table) => printNodeId('FeatureTable', table.tableUuid) }),
    name: t.exposeString('name'),
    table: t.field({ type: Table, resolve: (table) => table.tableUuid }),
    entityKeys: t.expose('entityKeys', { type: ['String'] }),
    eventTime: t.exposeString('eventTime'),
    knownTime: t.exposeString('knownTime', {
      nullable: true,
      description: 'The column that says when a value became known. Without it a late correction can leak into the past.',
    }),
    sequence: t.exposeString('sequence', {
      nullable: true,
      description: 'The column that orders rows equal in event and known time.',
    }),
    timeToLive: t.expose('timeToLiveMicros', { type: 'Duration', nullable: true }),
    description: t.exposeString('description', { nullable: true }),
    owner: t.exposeString('owner', { nullable: true }),
    tags: t.expose('tags', { type: 'JSON' }),
    features: t.field({
      type: FeatureConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.featureTableFeatures,
    }),
    feature: t.field({
      type: Feature,
      nullable: true,
      args: { name: t.arg.string({ required: true }) },
      resolve: answer.featureTableFeature,
    }),
    definition: t.exposeString('definition', {
      nullable: true,
      description: 'The SELECT that computes it from its sources, where Icecore computes it, and what runs it.',
    }),
    definitionEngine: t.exposeString('definitionEngine', { nullable: true }),
  }),
});

builder.objectType(Feature, {
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (feature) => printNodeId('Feature', feature.tableUuid, String(feature.fieldId)) }),
    name: t.exposeString('name'),
    type: t.exposeString('type'),
    description: t.exposeString('description', { nullable: true }),
    tags: t.expose('tags', { type: 'JSON' }),
    table: t.field({ type: FeatureTable, resolve: (feature) => feature.tableUuid }),
    column: t.field({ type: Column, resolve: answer.featureColumn }),
    featureSets: t.field({
      type: FeatureSetConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.featureFeatureSets,
    }),
    modelVersions: t.field({
      type: ModelVersionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.featureModelVersions,
    }),
  }),
});

builder.objectType(FeatureSet, {
  description:
    'The ordered features a model consumes. A version freezes table uuids, field ids, keys, times, sequence and time to live; a change of any is a new version.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (set) => printNodeId('FeatureSet', set.name, String(set.version)) }),
    name: t.exposeString('name'),
    version: t.exposeInt('version'),
    features: t.expose('features', { type: [FeatureRef] }),
    hash: t.exposeString('hash'),
    createdAt: t.expose('createdAtMicros', { type: 'DateTime' }),
    createdBy: t.expose('createdBy', { type: Actor }),
  }),
});

builder.objectType(FeatureRef, {
  fields: (t) => ({
    tableUuid: t.exposeID('tableUuid'),
    table: t.exposeString('table', { nullable: true }),
    feature: t.exposeString('feature'),
    alias: t.exposeString('alias'),
    type: t.exposeString('type'),
    keyMap: t.expose('keyMap', { type: [KeyMapping] }),
    current: t.field({ type: Feature, nullable: true, resolve: answer.featureRefCurrent }),
  }),
});

builder.objectType(KeyMapping, {
  description: "Joins the feature table's key to another column of the spine.",
  fields: (t) => ({
    key: t.exposeString('key'),
    spineColumn: t.exposeString('spineColumn'),
  }),
});

builder.objectType(FeatureVectors, {
  description: 'Features of entities at one moment, in the order asked, and the snapshots they came from.',
  fields: (t) => ({
    vectors: t.expose('vectors', { type: ['JSON'] }),
    snapshots: t.expose('snapshots', { type: [TableSnapshot] }),
  }),
});

export const CreateFeatureTableInput = builder.inputType('CreateFeatureTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    columns: t.field({ type: [ColumnInput] }),
    partitionBy: t.field({ type: [PartitionFieldInput] }),
    entityKeys: t.field({ type: ['String'], required: true }),
    eventTime: t.string({ required: true }),
    knownTime: t.string(),
    sequence: t.string(),
    timeToLive: t.field({ type: 'Duration' }),
    description: t.string(),
    owner: t.string(),
    tags: t.field({ type: 'JSON' }),
    definition: t.string({ description: "A SELECT over other tables that yields this table's columns." }),
  }),
});

export const UpdateFeatureTableInput = builder.inputType('UpdateFeatureTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    timeToLive: t.field({ type: 'Duration' }),
    description: t.string(),
    owner: t.string(),
    tags: t.field({ type: 'JSON' }),
    featureDescriptions: t.field({ type: 'JSON' }),
    definition: t.string(),
  }),
});

builder.objectType(FeatureTablePayload, {
  fields: (t) => ({
    featureTable: t.expose('featureTable', { type: FeatureTable }),
  }),
});

export const MaterializeFeaturesInput = builder.inputType('MaterializeFeaturesInput', {
  description:
    '`from` inclusive, `to` exclusive; the rows of that window are replaced. Left out: on from the last run, up to now.',
  fields: (t) => ({
    idempotencyKey: t.string(),
    featureTable: t.string({ required: true }),
    from: t.field({ type: 'DateTime' }),
    to: t.field({ type: 'DateTime' }),
  }),
});

export const KeyMappingInput = builder.inputType('KeyMappingInput', {
  fields: (t) => ({
    key: t.string({ required: true }),
    spineColumn: t.string({ required: true }),
  }),
});

export const FeatureRefInput = builder.inputType('FeatureRefInput', {
  fields: (t) => ({
    table: t.string({ required: true }),
    feature: t.string({ required: true }),
    alias: t.string(),
    keyMap: t.field({ type: [KeyMappingInput] }),
  }),
});

export const CreateFeatureSetInput = builder.inputType('CreateFeatureSetInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    features: t.field({ type: [FeatureRefInput], required: true }),
  }),
});

builder.objectType(FeatureSetPayload, {
  fields: (t) => ({
    featureSet: t.expose('featureSet', { type: FeatureSet }),
  }),
});

builder.queryFields((t) => ({
  featureTable: t.field({
    type: FeatureTable,
    nullable: true,
    args: { name: t.arg.string({ required: true }) },
    resolve: (_, args, context) => answer.featureTable(args, context),
  }),
  featureTables: t.field({
    type: FeatureTableConnection,
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.featureTables(args, context),
  }),
  featureSet: t.field({
    type: FeatureSet,
    nullable: true,
    args: { name: t.arg.string({ required: true }), version: t.arg.int() },
    resolve: (_, args, context) => answer.featureSet(args, context),
  }),
  featureSets: t.field({
    type: FeatureSetConnection,
    args: { first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.featureSets(args, context),
  }),
  featureVectors: t.field({
    type: FeatureVectors,
    args: {
      featureSet: t.arg.string({ required: true }),
      version: t.arg.int(),
      entities: t.arg({ type: ['JSON'], required: true }),
      at: t.arg({ type: 'DateTime' }),
      pins: t.arg({ type: [TableRef] }),
      options: t.arg({ type: PointInTimeOptionsInput }),
    },
    description:
      'The newest features of these entities at a moment: the rule of a training set with one spine row each. `entities` are objects of the keys.',
    resolve: (_, args, context) => answer.featureVectors(args, context),
  }),
}));

builder.mutationFields((t) => ({
  createFeatureTable: t.field({
    type: FeatureTablePayload,
    args: { input: t.arg({ type: CreateFeatureTableInput, required: true }) },
    description: "Declares a table's entity keys and event time, creating the table if `columns` are given.",
    resolve: (_, { input }, context) => answer.createFeatureTable(input, context),
  }),
  updateFeatureTable: t.field({
    type: FeatureTablePayload,
    args: { input: t.arg({ type: UpdateFeatureTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.updateFeatureTable(input, context),
  }),
  materializeFeatures: t.field({
    type: JobRunPayload,
    args: { input: t.arg({ type: MaterializeFeaturesInput, required: true }) },
    description:
      "Runs a feature table's definition over a window of event time, as one snapshot with lineage to its sources' snapshots.",
    resolve: (_, { input }, context) => answer.materializeFeatures(input, context),
  }),
  createFeatureSet: t.field({
    type: FeatureSetPayload,
    args: { input: t.arg({ type: CreateFeatureSetInput, required: true }) },
    resolve: (_, { input }, context) => answer.createFeatureSet(input, context),
  }),
}));
