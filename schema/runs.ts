import { runTypename } from '../resolvers/node-value.ts';
import * as answer from '../resolvers/runs.ts';
import { printNodeId } from '../src/node-id.ts';
import { builder } from './builder.ts';
import { PredictionConnection, RunConnection } from './connections.ts';
import {
  Actor,
  JobRun,
  JobRunPayload,
  ModelVersion,
  Node,
  ReproductionRun,
  Run,
  RunPayload,
  ScoringRun,
  TableSnapshot,
  TrainingSet,
  TrainingSetRun,
} from './refs.ts';

export const RunKind = builder.enumType('RunKind', {
  values: ['MATERIALIZATION', 'TRAINING_SET', 'REPRODUCTION', 'SCORING', 'MAINTENANCE', 'ERASURE', 'EXTERNAL'] as const,
});

export const RunStatus = builder.enumType('RunStatus', {
  values: ['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const,
});

// By the ref itself: only so does an interface hand its loader on to the fields of its type.
Run.implement({
  interfaces: [Node],
  resolveType: runTypename,
  fields: (t) => ({
    id: t.id({ resolve: (run) => printNodeId('Run', run.id) }),
    kind: t.expose('kind', { type: RunKind }),
    status: t.expose('status', { type: RunStatus }),
    startedAt: t.expose('startedAtMicros', { type: 'DateTime' }),
    endedAt: t.expose('endedAtMicros', { type: 'DateTime', nullable: true }),
    by: t.expose('by', { type: Actor }),
    rowsDone: t.expose('rowsDone', { type: 'BigInt' }),
    rowsTotal: t.expose('rowsTotal', { type: 'BigInt', nullable: true }),
    error: t.exposeString('error', { nullable: true }),
    inputs: t.expose('inputs', { type: [TableSnapshot] }),
    outputs: t.expose('outputs', { type: [TableSnapshot] }),
  }),
});

builder.objectType(JobRun, {
  interfaces: [Node, Run],
});

builder.objectType(TrainingSetRun, {
  interfaces: [Node, Run],
  fields: (t) => ({
    trainingSet: t.field({
      type: TrainingSet,
      nullable: true,
      description: 'Null until the run has succeeded.',
      resolve: answer.trainingSetRunTrainingSet,
    }),
  }),
});

export const ReproductionVerdict = builder.enumType('ReproductionVerdict', {
  values: ['EXACT', 'DRIFTED', 'REDACTED', 'UNAVAILABLE'] as const,
});

builder.objectType(ReproductionRun, {
  interfaces: [Node, Run],
  fields: (t) => ({
    trainingSet: t.field({ type: TrainingSet, resolve: answer.reproductionRunTrainingSet }),
    verdict: t.field({ type: ReproductionVerdict, nullable: true, resolve: answer.reproductionRunVerdict }),
    expectedDigest: t.string({ resolve: answer.reproductionRunExpectedDigest }),
    actualDigest: t.string({ nullable: true, resolve: answer.reproductionRunActualDigest }),
    differences: t.field({ type: ['String'], resolve: answer.reproductionRunDifferences }),
  }),
});

export const ModelIdentity = builder.enumType('ModelIdentity', {
  values: ['REPORTED', 'ASSERTED'] as const,
});

builder.objectType(ScoringRun, {
  description:
    "Rows of pinned snapshots sent to a deployed model's endpoint; the answers committed once, as one snapshot of a predictions table.",
  interfaces: [Node, Run],
  fields: (t) => ({
    modelVersion: t.field({ type: ModelVersion, resolve: answer.scoringRunModelVersion }),
    modelIdentity: t.field({
      type: ModelIdentity,
      nullable: true,
      description: 'REPORTED where the endpoint said which model and version answered.',
      resolve: answer.scoringRunModelIdentity,
    }),
    predictionsTable: t.string({ resolve: answer.scoringRunPredictionsTable }),
    rowsFailed: t.field({ type: 'BigInt', resolve: answer.scoringRunRowsFailed }),
    rowsPerSecond: t.float({ nullable: true, resolve: answer.scoringRunRowsPerSecond }),
    predictions: t.field({
      type: PredictionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.scoringRunPredictions,
    }),
  }),
});

builder.objectType(JobRunPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: JobRun }),
  }),
});

export const CancelRunInput = builder.inputType('CancelRunInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    id: t.id({ required: true }),
  }),
});

builder.objectType(RunPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: Run }),
  }),
});

builder.queryFields((t) => ({
  run: t.field({
    type: Run,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_, args, context) => answer.run(args, context),
  }),
  runs: t.field({
    type: RunConnection,
    args: { kind: t.arg({ type: RunKind }), status: t.arg({ type: RunStatus }), first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.runs(args, context),
  }),
}));

builder.mutationFields((t) => ({
  cancelRun: t.field({
    type: RunPayload,
    args: { input: t.arg({ type: CancelRunInput, required: true }) },
    resolve: (_, { input }, context) => answer.cancelRun(input, context),
  }),
}));

builder.subscriptionFields((t) => ({
  runProgress: t.field({
    type: Run,
    args: { id: t.arg.id({ required: true }) },
    subscribe: (_, args, context) => answer.runProgress(args, context),
    resolve: (event) => event,
  }),
}));
