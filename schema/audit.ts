import * as answer from '../resolvers/audit.ts';
import { builder } from './builder.ts';
import { AuditEntryConnection } from './connections.ts';
import { Actor, AuditEntry, AuditStep, AuditTrail, ChainVerification, LineageNode, Node } from './refs.ts';
import { asNode } from './typename.ts';

export const Assurance = builder.enumType('Assurance', {
  values: ['CREDENTIAL', 'LOCAL'] as const,
});

builder.objectType(AuditEntry, {
  fields: (t) => ({
    seq: t.expose('seq', { type: 'BigInt' }),
    at: t.expose('atMicros', { type: 'DateTime' }),
    actor: t.expose('actor', { type: Actor }),
    action: t.exposeString('action'),
    subject: t.exposeString('subject'),
    outcome: t.exposeString('outcome'),
    payloadSha256: t.exposeString('payloadSha256'),
    payload: t.expose('payload', { type: 'JSON', nullable: true }),
    previousHash: t.exposeString('previousHash'),
    hash: t.exposeString('hash'),
  }),
});

builder.objectType(ChainVerification, {
  description:
    'What the chain proves: consistent in itself up to its head, and unchanged up to `verifiedThroughSeq`, the last checkpoint held by an outside anchor.',
  fields: (t) => ({
    consistent: t.exposeBoolean('consistent'),
    headSeq: t.expose('headSeq', { type: 'BigInt' }),
    verifiedThroughSeq: t.expose('verifiedThroughSeq', { type: 'BigInt', nullable: true }),
    anchor: t.exposeString('anchor', { nullable: true }),
    firstFault: t.exposeString('firstFault', { nullable: true }),
  }),
});

builder.objectType(AuditTrail, {
  description: 'Every step from raw data to this subject, each with its entry in the chain.',
  fields: (t) => ({
    subject: t.field({
      type: Node,
      resolve: async (trail, args, context) => asNode(await answer.auditTrailSubject(trail, args, context)),
    }),
    steps: t.expose('steps', { type: [AuditStep] }),
    complete: t.exposeBoolean('complete'),
    missing: t.expose('missing', { type: ['String'] }),
    assurance: t.expose('assurance', { type: Assurance }),
    chain: t.expose('chain', { type: ChainVerification }),
  }),
});

builder.objectType(AuditStep, {
  fields: (t) => ({
    kind: t.exposeString('kind'),
    node: t.expose('node', { type: LineageNode }),
    by: t.expose('by', { type: Actor, nullable: true }),
    at: t.expose('atMicros', { type: 'DateTime', nullable: true }),
    entrySeq: t.expose('entrySeq', { type: 'BigInt', nullable: true }),
    detail: t.expose('detail', { type: 'JSON' }),
  }),
});

builder.queryFields((t) => ({
  auditTrail: t.field({
    type: AuditTrail,
    args: { of: t.arg.id({ required: true }) },
    resolve: (_, args, context) => answer.auditTrail(args, context),
  }),
  auditLog: t.field({
    type: AuditEntryConnection,
    args: {
      subject: t.arg.string(),
      actor: t.arg.string(),
      from: t.arg({ type: 'DateTime' }),
      to: t.arg({ type: 'DateTime' }),
      first: t.arg.int(),
      after: t.arg.string(),
    },
    resolve: (_, args, context) => answer.auditLog(args, context),
  }),
}));
