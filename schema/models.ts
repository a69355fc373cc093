import * as answer from '../resolvers/models.ts';
import { printNodeId } from '../src/node-id.ts';
import { Assurance } from './audit.ts';
import { builder } from './builder.ts';
import {
  ModelAliasChangeConnection,
  ModelConnection,
  ModelVersionConnection,
  PredictionConnection,
  RunConnection,
} from './connections.ts';
import {
  Actor,
  FeatureSet,
  Model,
  ModelAlias,
  ModelAliasChange,
  ModelAliasPayload,
  ModelDecision,
  ModelEndpoint,
  ModelField,
  ModelMetric,
  ModelPayload,
  ModelSignature,
  ModelVersion,
  ModelVersionPayload,
  Node,
  Snapshot,
  TableSnapshot,
  TrainingSet,
} from './refs.ts';
import { TableRef } from './tables.ts';

export const ModelVersionStatus = builder.enumType('ModelVersionStatus', {
  values: ['DRAFT', 'SUBMITTED', 'APPROVED', 'REJECTED', 'SUSPENDED', 'RETIRED'] as const,
});

builder.objectType(Model, {
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (model) => printNodeId('Model', model.name) }),
    name: t.exposeString('name'),
    description: t.exposeString('description', { nullable: true }),
    owner: t.exposeString('owner', { nullable: true }),
    riskTier: t.exposeString('riskTier', { nullable: true }),
    versions: t.field({
      type: ModelVersionConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.modelVersions,
    }),
    version: t.field({
      type: ModelVersion,
      nullable: true,
      args: { number: t.arg.int(), alias: t.arg.string(), at: t.arg({ type: 'DateTime' }) },
      description: 'By number, or by alias, now or as the alias stood at a moment.',
      resolve: answer.modelVersion,
    }),
    aliases: t.field({ type: [ModelAlias], resolve: answer.modelAliases }),
  }),
});

builder.objectType(ModelAlias, {
  fields: (t) => ({
    name: t.exposeString('name'),
    modelVersion: t.field({ type: ModelVersion, nullable: true, resolve: answer.modelAliasModelVersion }),
    since: t.expose('sinceMicros', { type: 'DateTime' }),
    setBy: t.expose('setBy', { type: Actor }),
    protected: t.exposeBoolean('protected'),
    history: t.field({
      type: ModelAliasChangeConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      resolve: answer.modelAliasHistory,
    }),
  }),
});

builder.objectType(ModelAliasChange, {
  fields: (t) => ({
    from: t.exposeInt('from', { nullable: true }),
    to: t.exposeInt('to', { nullable: true }),
    at: t.expose('atMicros', { type: 'DateTime' }),
    by: t.expose('by', { type: Actor }),
    reason: t.exposeString('reason', { nullable: true }),
  }),
});

builder.objectType(ModelVersion, {
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: (version) => printNodeId('ModelVersion', version.model, String(version.version)) }),
    model: t.field({ type: Model, resolve: (version) => version.model }),
    version: t.exposeInt('version'),
    status: t.expose('status', { type: ModelVersionStatus }),
    trainingSet: t.field({ type: TrainingSet, nullable: true, resolve: answer.modelVersionTrainingSet }),
    trainingTable: t.expose('trainingTable', { type: TableSnapshot }),
    trainingSnapshotId: t.field({
      type: 'BigInt',
      description: 'The Iceberg snapshot the model was trained on. Never null: a version cannot be registered without it.',
      resolve: (version) => version.trainingTable.snapshotId,
    }),
    trainingSnapshot: t.field({ type: Snapshot, nullable: true, resolve: answer.modelVersionTrainingSnapshot }),
    featureSet: t.field({ type: FeatureSet, nullable: true, resolve: answer.modelVersionFeatureSet }),
    metrics: t.expose('metrics', { type: [ModelMetric] }),
    signature: t.expose('signature', { type: ModelSignature }),
    artifactUri: t.exposeString('artifactUri', { nullable: true }),
    artifactSha256: t.exposeString('artifactSha256'),
    endpoint: t.expose('endpoint', { type: ModelEndpoint, nullable: true }),
    digest: t.exposeString('digest', { description: 'Over everything an approval is bound to.' }),
    redacted: t.exposeBoolean('redacted'),
    registeredBy: t.expose('registeredBy', { type: Actor }),
    registeredAt: t.expose('registeredAtMicros', { type: 'DateTime' }),
    submittedBy: t.expose('submittedBy', { type: Actor, nullable: true }),
    authors: t.expose('authors', { type: ['String'] }),
    approvedBy: t.expose('approvedBy', { type: Actor, nullable: true }),
    approvedAt: t.expose('approvedAtMicros', { type: 'DateTime', nullable: true }),
    decisions: t.field({ type: [ModelDecision], resolve: answer.modelVersionDecisions }),
    runs: t.field({ type: RunConnection, args: { first: t.arg.int(), after: t.arg.string() }, resolve: answer.modelVersionRuns }),
    predictions: t.field({
      type: PredictionConnection,
      args: {
        asOfFrom: t.arg({ type: 'DateTime' }),
        asOfTo: t.arg({ type: 'DateTime' }),
        first: t.arg.int(),
        after: t.arg.string(),
      },
      resolve: answer.modelVersionPredictions,
    }),
  }),
});

builder.objectType(ModelMetric, {
  fields: (t) => ({
    name: t.exposeString('name'),
    value: t.exposeFloat('value'),
    split: t.exposeString('split', { nullable: true }),
    dataset: t.field({ type: TableSnapshot, nullable: true, resolve: answer.modelMetricDataset }),
  }),
});

builder.objectType(ModelSignature, {
  fields: (t) => ({
    inputs: t.expose('inputs', { type: [ModelField] }),
    outputs: t.expose('outputs', { type: [ModelField] }),
  }),
});

builder.objectType(ModelField, {
  description: '`type` is an Iceberg type.',
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.exposeString('type'),
    required: t.exposeBoolean('required'),
  }),
});

export const ScoringProtocol = builder.enumType('ScoringProtocol', {
  values: ['OPEN_INFERENCE_V2', 'MLFLOW'] as const,
});

builder.objectType(ModelEndpoint, {
  description: "`model` and `version` are the endpoint's own names for it.",
  fields: (t) => ({
    url: t.exposeString('url'),
    protocol: t.expose('protocol', { type: ScoringProtocol }),
    model: t.exposeString('model'),
    version: t.exposeString('version', { nullable: true }),
  }),
});

export const DecisionKind = builder.enumType('DecisionKind', {
  values: ['APPROVE', 'REJECT', 'SUSPEND', 'RETIRE'] as const,
});

builder.objectType(ModelDecision, {
  description:
    "A decision on a model version, bound to a digest of what was decided on. `signature` is the server's, over all the other fields, by the key `keyId`.",
  fields: (t) => ({
    kind: t.expose('kind', { type: DecisionKind }),
    by: t.expose('by', { type: Actor }),
    at: t.expose('atMicros', { type: 'DateTime' }),
    meaning: t.exposeString('meaning'),
    comment: t.exposeString('comment', { nullable: true }),
    digest: t.exposeString('digest'),
    assurance: t.expose('assurance', { type: Assurance }),
    keyId: t.exposeString('keyId'),
    signature: t.exposeString('signature'),
  }),
});

export const RegisterModelInput = builder.inputType('RegisterModelInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    description: t.string(),
    owner: t.string(),
    riskTier: t.string(),
    protectedAliases: t.field({ type: ['String'] }),
  }),
});

export const UpdateModelInput = builder.inputType('UpdateModelInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    name: t.string({ required: true }),
    description: t.string(),
    owner: t.string(),
    riskTier: t.string(),
    protectedAliases: t.field({ type: ['String'] }),
  }),
});

builder.objectType(ModelPayload, {
  fields: (t) => ({
    model: t.expose('model', { type: Model }),
  }),
});

export const ModelMetricInput = builder.inputType('ModelMetricInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    value: t.float({ required: true }),
    split: t.string(),
    dataset: t.field({ type: TableRef }),
  }),
});

export const ModelFieldInput = builder.inputType('ModelFieldInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    type: t.string({ required: true }),
    required: t.boolean({ defaultValue: true }),
  }),
});

export const ModelSignatureInput = builder.inputType('ModelSignatureInput', {
  fields: (t) => ({
    inputs: t.field({ type: [ModelFieldInput], required: true }),
    outputs: t.field({ type: [ModelFieldInput], required: true }),
  }),
});

export const ModelEndpointInput = builder.inputType('ModelEndpointInput', {
  fields: (t) => ({
    url: t.string({ required: true }),
    protocol: t.field({ type: ScoringProtocol, required: true }),
    model: t.string({ required: true }),
    version: t.string(),
  }),
});

export const TrainedOnTrainingSet = builder.inputType('TrainedOnTrainingSet', {
  fields: (t) => ({
    name: t.string({ required: true }),
    version: t.int({ required: true }),
  }),
});

export const TrainedOn = builder.inputType('TrainedOn', {
  description: 'What it was trained on.',
  isOneOf: true,
  fields: (t) => ({
    trainingSet: t.field({ type: TrainedOnTrainingSet }),
    table: t.field({ type: TableRef }),
  }),
});

export const RegisterModelVersionInput = builder.inputType('RegisterModelVersionInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    model: t.string({ required: true }),
    trainedOn: t.field({ type: TrainedOn, required: true }),
    metrics: t.field({ type: [ModelMetricInput] }),
    signature: t.field({ type: ModelSignatureInput, required: true }),
    artifactUri: t.string(),
    artifactSha256: t.string({ required: true }),
    endpoint: t.field({ type: ModelEndpointInput }),
    authors: t.field({
      type: ['String'],
      defaultValue: [],
      description: 'Further authors, by actor id. None of them may approve.',
    }),
  }),
});

builder.objectType(ModelVersionPayload, {
  fields: (t) => ({
    modelVersion: t.expose('modelVersion', { type: ModelVersion }),
  }),
});

export const ModelVersionSelector = builder.inputType('ModelVersionSelector', {
  isOneOf: true,
  fields: (t) => ({
    number: t.int(),
    alias: t.string(),
  }),
});

export const ModelVersionRef = builder.inputType('ModelVersionRef', {
  fields: (t) => ({
    model: t.string({ required: true }),
    selector: t.field({ type: ModelVersionSelector, required: true }),
  }),
});

export const SubmitModelVersionInput = builder.inputType('SubmitModelVersionInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    modelVersion: t.field({ type: ModelVersionRef, required: true }),
    comment: t.string(),
  }),
});

export const ReviewModelVersionInput = builder.inputType('ReviewModelVersionInput', {
  description: "CONFLICT unless the version's digest is `expectedDigest`: what was read is what is signed.",
  fields: (t) => ({
    idempotencyKey: t.string(),
    modelVersion: t.field({ type: ModelVersionRef, required: true }),
    expectedDigest: t.string({ required: true }),
    decision: t.field({ type: DecisionKind, required: true }),
    meaning: t.string({ required: true }),
    comment: t.string(),
  }),
});

export const SetModelAliasInput = builder.inputType('SetModelAliasInput', {
  description: '`version` null takes the alias away. CONFLICT unless it stands at `expectedVersion`, where given.',
  fields: (t) => ({
    idempotencyKey: t.string(),
    model: t.string({ required: true }),
    alias: t.string({ required: true }),
    version: t.int(),
    expectedVersion: t.int(),
    reason: t.string(),
  }),
});

builder.objectType(ModelAliasPayload, {
  fields: (t) => ({
    alias: t.expose('alias', { type: ModelAlias, nullable: true }),
  }),
});

builder.queryFields((t) => ({
  model: t.field({
    type: Model,
    nullable: true,
    args: { name: t.arg.string({ required: true }) },
    resolve: (_, args, context) => answer.model(args, context),
  }),
  models: t.field({
    type: ModelConnection,
    args: { owner: t.arg.string(), riskTier: t.arg.string(), first: t.arg.int(), after: t.arg.string() },
    resolve: (_, args, context) => answer.models(args, context),
  }),
}));

builder.mutationFields((t) => ({
  registerModel: t.field({
    type: ModelPayload,
    args: { input: t.arg({ type: RegisterModelInput, required: true }) },
    resolve: (_, { input }, context) => answer.registerModel(input, context),
  }),
  updateModel: t.field({
    type: ModelPayload,
    args: { input: t.arg({ type: UpdateModelInput, required: true }) },
    resolve: (_, { input }, context) => answer.updateModel(input, context),
  }),
  registerModelVersion: t.field({
    type: ModelVersionPayload,
    args: { input: t.arg({ type: RegisterModelVersionInput, required: true }) },
    resolve: (_, { input }, context) => answer.registerModelVersion(input, context),
  }),
  submitModelVersion: t.field({
    type: ModelVersionPayload,
    args: { input: t.arg({ type: SubmitModelVersionInput, required: true }) },
    resolve: (_, { input }, context) => answer.submitModelVersion(input, context),
  }),
  reviewModelVersion: t.field({
    type: ModelVersionPayload,
    args: { input: t.arg({ type: ReviewModelVersionInput, required: true }) },
    description: 'The one who decides is the caller. An approver is human and no author of the version.',
    resolve: (_, { input }, context) => answer.reviewModelVersion(input, context),
  }),
  setModelAlias: t.field({
    type: ModelAliasPayload,
    args: { input: t.arg({ type: SetModelAliasInput, required: true }) },
    resolve: (_, { input }, context) => answer.setModelAlias(input, context),
  }),
}));

builder.subscriptionFields((t) => ({
  modelVersionChanged: t.field({
    type: ModelVersion,
    args: { model: t.arg.string() },
    subscribe: (_, args, context) => answer.modelVersionChanged(args, context),
    resolve: (event) => event,
  }),
}));
