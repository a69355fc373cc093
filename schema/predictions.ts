import * as answer from '../resolvers/predictions.ts';
import { printNodeId } from '../src/node-id.ts';
import { Assurance } from './audit.ts';
import { builder } from './builder.ts';
import { PredictionConnection } from './connections.ts';
import { ModelVersionRef } from './models.ts';
import { SpineInput } from './point-in-time.ts';
import {
  Actor,
  AuditTrail,
  ModelVersion,
  Node,
  Prediction,
  PredictionExplanation,
  ScoringRun,
  ScoringRunPayload,
  Table,
  TableSnapshot,
  TrainingSet,
} from './refs.ts';
import { TableRef } from './tables.ts';

builder.objectType(Prediction, {
  description: 'One scored row of a predictions table.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (prediction) => printNodeId('Prediction', prediction.tableUuid, prediction.predictionId) }),
    predictionId: t.exposeID('predictionId'),
    table: t.field({ type: Table, resolve: (prediction) => prediction.tableUuid }),
    entity: t.expose('entity', { type: 'JSON' }),
    asOf: t.expose('asOfMicros', { type: 'DateTime' }),
    output: t.expose('output', { type: 'JSON' }),
    scoredAt: t.expose('scoredAtMicros', { type: 'DateTime' }),
    status: t.exposeString('status'),
    error: t.exposeString('error', { nullable: true }),
    assurance: t.expose('assurance', { type: Assurance }),
    redacted: t.exposeBoolean('redacted'),
    modelVersion: t.field({ type: ModelVersion, resolve: answer.predictionModelVersion }),
    run: t.field({ type: ScoringRun, resolve: answer.predictionRun }),
    explanation: t.field({ type: PredictionExplanation, resolve: answer.predictionExplanation }),
  }),
});

builder.objectType(PredictionExplanation, {
  description: 'From a prediction back to everything it rests on, each step derived again and compared, not just looked up.',
  fields: (t) => ({
    // None where they could not be read again; the differences say why.
    features: t.field({ type: 'JSON', resolve: ({ features }) => features ?? {} }),
    sources: t.expose('sources', { type: [TableSnapshot] }),
    modelVersion: t.field({ type: ModelVersion, resolve: answer.predictionExplanationModelVersion }),
    approvedBy: t.expose('approvedBy', { type: Actor, nullable: true }),
    trainingSet: t.field({ type: TrainingSet, nullable: true, resolve: answer.predictionExplanationTrainingSet }),
    rederived: t.exposeBoolean('rederived'),
    differences: t.expose('differences', { type: ['String'] }),
    trail: t.expose('trail', { type: AuditTrail }),
  }),
});

export const ScoringTableInput = builder.inputType('ScoringTableInput', {
  fields: (t) => ({
    table: t.field({ type: TableRef, required: true }),
    entityKeys: t.field({ type: ['String'], required: true }),
    asOf: t.string({ required: true }),
  }),
});

export const ScoringSource = builder.inputType('ScoringSource', {
  isOneOf: true,
  fields: (t) => ({
    spine: t.field({
      type: SpineInput,
      description: "Joined point in time to the model's feature set, under its training set's options.",
    }),
    table: t.field({ type: ScoringTableInput, description: "Has the model's inputs already." }),
  }),
});

export const ScoreBatchInput = builder.inputType('ScoreBatchInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    modelVersion: t.field({ type: ModelVersionRef, required: true }),
    source: t.field({ type: ScoringSource, required: true }),
    into: t.string({ required: true, description: "The predictions table, created on first use from the model's signature." }),
    batchSize: t.int({ defaultValue: 1024 }),
    concurrency: t.int({ defaultValue: 4 }),
    maxFailedShare: t.float({
      defaultValue: 0,
      description: 'The share of rows that may fail before the run does and commits nothing.',
    }),
  }),
});

builder.objectType(ScoringRunPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: ScoringRun }),
  }),
});

builder.queryFields((t) => ({
  predictions: t.field({
    type: PredictionConnection,
    args: {
      table: t.arg.string({ required: true }),
      entity: t.arg({ type: 'JSON' }),
      model: t.arg.string(),
      version: t.arg.int(),
      run: t.arg.id(),
      asOfFrom: t.arg({ type: 'DateTime' }),
      asOfTo: t.arg({ type: 'DateTime' }),
      first: t.arg.int(),
      after: t.arg.string(),
    },
    description: 'Predictions of a table, newest first, narrowed by entity keys, model, run or moment.',
    resolve: (_, args, context) => answer.predictions(args, context),
  }),
  prediction: t.field({
    type: Prediction,
    nullable: true,
    args: { table: t.arg.string({ required: true }), predictionId: t.arg.id({ required: true }) },
    resolve: (_, args, context) => answer.prediction(args, context),
  }),
}));

builder.mutationFields((t) => ({
  scoreBatch: t.field({
    type: ScoringRunPayload,
    args: { input: t.arg({ type: ScoreBatchInput, required: true }) },
    resolve: (_, { input }, context) => answer.scoreBatch(input, context),
  }),
}));
