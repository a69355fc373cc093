import { loadProducers } from '../resolvers/loading.ts';
import * as answer from '../resolvers/snapshots.ts';
import { printNodeId } from '../src/node-id.ts';
import { builder } from './builder.ts';
import { NodeConnection } from './connections.ts';
import { Node, Run, Snapshot, SnapshotPayload, SnapshotRef, SnapshotRefPayload, Table, TableSnapshot } from './refs.ts';
import { AsOf } from './tables.ts';
import { nodeConnection } from './typename.ts';

export const SnapshotRefType = builder.enumType('SnapshotRefType', {
  values: ['BRANCH', 'TAG'] as const,
});

builder.objectType(SnapshotRef, {
  fields: (t) => ({
    name: t.exposeString('name'),
    type: t.expose('type', { type: SnapshotRefType }),
    snapshot: t.field({ type: Snapshot, resolve: answer.snapshotRefSnapshot }),
    maxRefAge: t.expose('maxRefAgeMicros', { type: 'Duration', nullable: true }),
  }),
});

builder.objectType(Snapshot, {
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({ resolve: ({ table, snapshot }) => printNodeId('Snapshot', table.uuid, String(snapshot.snapshotId)) }),
    snapshotId: t.field({ type: 'BigInt', resolve: ({ snapshot }) => snapshot.snapshotId }),
    sequenceNumber: t.field({ type: 'BigInt', resolve: ({ snapshot }) => snapshot.sequenceNumber }),
    parent: t.field({ type: Snapshot, nullable: true, resolve: answer.snapshotParent }),
    table: t.expose('table', { type: Table }),
    committedAt: t.field({ type: 'DateTime', resolve: ({ snapshot }) => BigInt(snapshot.timestampMs) * 1000n }),
    operation: t.string({ resolve: ({ snapshot }) => snapshot.summary.operation ?? 'append' }),
    summary: t.field({ type: 'JSON', resolve: ({ snapshot }) => snapshot.summary }),
    refs: t.field({ type: [SnapshotRef], resolve: answer.snapshotRefs }),
    producedBy: t.loadable({
      type: Run,
      nullable: true,
      description: 'The run that wrote it, where one is recorded.',
      load: (keys: string[], context) => loadProducers(keys, context),
      resolve: answer.snapshotProducedBy,
    }),
    pinnedBy: t.field({
      type: NodeConnection,
      args: { first: t.arg.int(), after: t.arg.string() },
      description: 'What is pinned to it, so what its expiry would break.',
      resolve: async (snapshot, args, context) => nodeConnection(await answer.snapshotPinnedBy(snapshot, args, context)),
    }),
  }),
});

builder.objectType(TableSnapshot, {
  description: 'A table at one snapshot. The id stays when the snapshot is gone.',
  fields: (t) => ({
    tableUuid: t.exposeID('tableUuid'),
    tableName: t.string({
      nullable: true,
      description: 'Null where the caller may not see it.',
      resolve: async (at, _args, context) =>
        answer.tableSnapshotTableName(at, await Table.getDataloader(context).load(at.tableUuid), context),
    }),
    snapshotId: t.expose('snapshotId', { type: 'BigInt' }),
    table: t.field({ type: Table, nullable: true, resolve: (at) => at.tableUuid }),
    snapshot: t.field({ type: Snapshot, nullable: true, resolve: answer.tableSnapshotSnapshot }),
  }),
});

export const SetSnapshotRefInput = builder.inputType('SetSnapshotRefInput', {
  description: '`snapshotId` null takes the ref away.',
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    name: t.string({ required: true }),
    type: t.field({ type: SnapshotRefType, required: true }),
    snapshotId: t.field({ type: 'BigInt' }),
    maxRefAge: t.field({ type: 'Duration' }),
  }),
});

builder.objectType(SnapshotRefPayload, {
  fields: (t) => ({
    ref: t.expose('ref', { type: SnapshotRef, nullable: true }),
  }),
});

export const RollbackTableInput = builder.inputType('RollbackTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    to: t.field({ type: AsOf, required: true }),
  }),
});

builder.objectType(SnapshotPayload, {
  fields: (t) => ({
    snapshot: t.expose('snapshot', { type: Snapshot }),
  }),
});

builder.mutationFields((t) => ({
  setSnapshotRef: t.field({
    type: SnapshotRefPayload,
    args: { input: t.arg({ type: SetSnapshotRefInput, required: true }) },
    resolve: (_, { input }, context) => answer.setSnapshotRef(input, context),
  }),
  rollbackTable: t.field({
    type: SnapshotPayload,
    args: { input: t.arg({ type: RollbackTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.rollbackTable(input, context),
  }),
}));

builder.subscriptionFields((t) => ({
  snapshotCommitted: t.field({
    type: Snapshot,
    args: { table: t.arg.string({ required: true }), afterSnapshotId: t.arg({ type: 'BigInt' }) },
    description: 'From now on, or from right after a snapshot, missing none.',
    subscribe: (_, args, context) => answer.snapshotCommitted(args, context),
    resolve: (event) => event,
  }),
}));
