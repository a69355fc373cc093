import * as answer from '../resolvers/lineage.ts';
import { builder } from './builder.ts';
import { ColumnLineage, LineageEdge, LineageGraph, LineageNode, Node, Run } from './refs.ts';

export const LineageDirection = builder.enumType('LineageDirection', {
  values: ['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const,
});

export const LineageKind = builder.enumType('LineageKind', {
  values: ['TABLE', 'FEATURE', 'FEATURE_SET', 'TRAINING_SET', 'RUN', 'MODEL_VERSION', 'PREDICTION', 'EXTERNAL'] as const,
});

export const LineageState = builder.enumType('LineageState', {
  values: ['PRESENT', 'DELETED', 'HIDDEN', 'REDACTED'] as const,
});

builder.objectType(LineageGraph, {
  description:
    'Nodes and edges as of a moment. `complete` is false, with the reason, whenever something was cut off or hidden: never silently.',
  fields: (t) => ({
    root: t.expose('root', { type: LineageNode }),
    nodes: t.expose('nodes', { type: [LineageNode] }),
    edges: t.expose('edges', { type: [LineageEdge] }),
    depthReached: t.exposeInt('depthReached'),
    complete: t.exposeBoolean('complete'),
    incompleteBecause: t.expose('incompleteBecause', { type: ['String'] }),
    frontierCursor: t.exposeString('frontierCursor', { nullable: true }),
    asOf: t.expose('asOfMicros', { type: 'DateTime' }),
  }),
});

builder.objectType(LineageNode, {
  description:
    "A versioned thing; a table's version is its snapshot id. What was deleted or may not be seen stays, as a stub, its name null where hidden.",
  interfaces: [Node],
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.expose('kind', { type: LineageKind }),
    name: t.exposeString('name', { nullable: true }),
    version: t.exposeString('version', { nullable: true }),
    state: t.expose('state', { type: LineageState }),
    subject: t.field({
      type: Node,
      nullable: true,
      resolve: answer.lineageNodeSubject,
    }),
  }),
});

builder.objectType(LineageEdge, {
  interfaces: [Node],
  fields: (t) => ({
    id: t.exposeID('id'),
    from: t.expose('from', { type: LineageNode }),
    to: t.expose('to', { type: LineageNode }),
    run: t.expose('runId', { type: Run, nullable: true }),
    recordedAt: t.expose('recordedAtMicros', { type: 'DateTime' }),
    columns: t.expose('columns', { type: [ColumnLineage] }),
  }),
});

builder.objectType(ColumnLineage, {
  fields: (t) => ({
    from: t.exposeString('from'),
    to: t.exposeString('to'),
    transformation: t.exposeString('transformation', { nullable: true }),
  }),
});

builder.queryFields((t) => ({
  lineage: t.field({
    type: LineageGraph,
    args: {
      of: t.arg.id({ required: true }),
      direction: t.arg({ type: LineageDirection, defaultValue: 'BOTH' }),
      maxDepth: t.arg.int({ defaultValue: 10 }),
      maxNodes: t.arg.int({ defaultValue: 500 }),
      asOf: t.arg({ type: 'DateTime' }),
      after: t.arg.string(),
    },
    description: "Takes any Node's id, a LineageNode's included.",
    resolve: (_, args, context) => answer.lineage(args, context),
  }),
  impact: t.field({
    type: LineageGraph,
    args: { of: t.arg.id({ required: true }), maxNodes: t.arg.int({ defaultValue: 500 }), after: t.arg.string() },
    description:
      'Everything that was computed from these snapshots: the recall question. Models, runs, predictions tables with their counts.',
    resolve: (_, args, context) => answer.impact(args, context),
  }),
}));
