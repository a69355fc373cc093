import * as answer from '../resolvers/maintenance.ts';
import { builder } from './builder.ts';
import { ExpireSnapshotsPayload, HeldSnapshot, JobRun, JobRunPayload, RemoveOrphanFilesPayload } from './refs.ts';

export const ExpireSnapshotsInput = builder.inputType('ExpireSnapshotsInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    olderThan: t.field({ type: 'DateTime', required: true }),
    keepLast: t.int({ defaultValue: 1 }),
    dryRun: t.boolean({ defaultValue: false }),
  }),
});

builder.objectType(HeldSnapshot, {
  fields: (t) => ({
    snapshotId: t.expose('snapshotId', { type: 'BigInt' }),
    heldBy: t.expose('heldBy', { type: ['String'] }),
  }),
});

builder.objectType(ExpireSnapshotsPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: JobRun }),
    removed: t.expose('removed', { type: ['BigInt'] }),
    kept: t.expose('kept', { type: [HeldSnapshot] }),
  }),
});

export const RemoveOrphanFilesInput = builder.inputType('RemoveOrphanFilesInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    olderThan: t.field({ type: 'DateTime', required: true }),
    dryRun: t.boolean({ defaultValue: false }),
  }),
});

builder.objectType(RemoveOrphanFilesPayload, {
  fields: (t) => ({
    run: t.expose('run', { type: JobRun }),
    files: t.expose('files', { type: ['String'] }),
    bytes: t.expose('bytes', { type: 'BigInt' }),
    truncated: t.exposeBoolean('truncated'),
  }),
});

export const RewriteManifestsInput = builder.inputType('RewriteManifestsInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    dryRun: t.boolean({ defaultValue: false }),
  }),
});

export const CompactTableInput = builder.inputType('CompactTableInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    targetFileSizeBytes: t.field({ type: 'BigInt' }),
    where: t.string(),
    dryRun: t.boolean({ defaultValue: false }),
  }),
});

export const EraseRowsInput = builder.inputType('EraseRowsInput', {
  fields: (t) => ({
    idempotencyKey: t.string(),
    table: t.string({ required: true }),
    where: t.string({ required: true }),
    reason: t.string({ required: true }),
  }),
});

builder.mutationFields((t) => ({
  expireSnapshots: t.field({
    type: ExpireSnapshotsPayload,
    args: { input: t.arg({ type: ExpireSnapshotsInput, required: true }) },
    description: 'Keeps what something holds, and lists it.',
    resolve: (_, { input }, context) => answer.expireSnapshots(input, context),
  }),
  removeOrphanFiles: t.field({
    type: RemoveOrphanFilesPayload,
    args: { input: t.arg({ type: RemoveOrphanFilesInput, required: true }) },
    resolve: (_, { input }, context) => answer.removeOrphanFiles(input, context),
  }),
  rewriteManifests: t.field({
    type: JobRunPayload,
    args: { input: t.arg({ type: RewriteManifestsInput, required: true }) },
    resolve: (_, { input }, context) => answer.rewriteManifests(input, context),
  }),
  compactTable: t.field({
    type: JobRunPayload,
    args: { input: t.arg({ type: CompactTableInput, required: true }) },
    resolve: (_, { input }, context) => answer.compactTable(input, context),
  }),
  eraseRows: t.field({
    type: JobRunPayload,
    args: { input: t.arg({ type: EraseRowsInput, required: true }) },
    description: 'The only release of a pin: rows rewritten out of every snapshot that holds them, a tombstone left.',
    resolve: (_, { input }, context) => answer.eraseRows(input, context),
  }),
}));
