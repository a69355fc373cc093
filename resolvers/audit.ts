import { actorOf } from '../src/access/actor-row.ts';
import type { AuditRow } from '../src/audit/audit-entry.ts';
import { auditTrail as trailOf } from '../src/audit/audit-trail.ts';
import { IcecoreError } from '../src/errors.ts';
import { parseNodeId } from '../src/node-id.ts';
import { afterKey, type Connection, connectionOf, type PageArgs, pageSize } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { nodeView } from './lineage-view.ts';
import { lineageRefOf, type NodeValue, nodeValue } from './node-value.ts';
import type { AuditEntryView, AuditTrailView } from './views.ts';

export async function auditTrailSubject({ of }: AuditTrailView, _args: object, context: ApiContext): Promise<NodeValue> {
  const value = await nodeValue(parseNodeId(of), context);
  if (value !== null) return value;
  throw new IcecoreError('NOT_FOUND', 'What this trail is about is gone; its steps say what is known of it.');
}

export async function auditTrail({ of }: { readonly of: string }, context: ApiContext): Promise<AuditTrailView> {
  const { icecore } = context;
  const id = parseNodeId(of);
  const ref = lineageRefOf(id);
  const known = await icecore.lineage.node(ref);
  if (known === null && (await nodeValue(id, context)) === null) {
    throw new IcecoreError('NOT_FOUND', 'Nothing is known of what this id stands for.', { context: { id: of } });
  }
  const trail = await trailOf(icecore, [{ ...ref, name: known?.name ?? ref.uuid }]);
  return { ...trail, of, steps: trail.steps.map((step) => ({ ...step, node: nodeView(step.node) })) };
}

interface AuditLogArgs extends PageArgs {
  readonly subject?: Given<string>;
  readonly actor?: Given<string>;
  readonly from?: Given<bigint>;
  readonly to?: Given<bigint>;
}

export async function auditLog(args: AuditLogArgs, { icecore }: ApiContext): Promise<Connection<AuditEntryView>> {
  const size = pageSize(args);
  const after = afterKey(args);
  const found = await icecore.audit.entries({
    subject: args.subject ?? null,
    actor: args.actor ?? null,
    fromMicros: args.from ?? null,
    toMicros: args.to ?? null,
    first: size,
    afterSeq: after === null ? null : seqOf(after),
  });
  const page = connectionOf(found.entries, size, {
    key: ({ seq }) => String(seq),
    node: entryView,
    hasPreviousPage: after !== null,
  });
  return { ...page, pageInfo: { ...page.pageInfo, hasNextPage: found.hasNextPage } };
}

function seqOf(key: string): bigint {
  if (/^\d{1,19}$/.test(key)) return BigInt(key);
  throw new IcecoreError('BAD_USER_INPUT', 'The cursor is of another list: take one from this list’s pageInfo.');
}

function entryView(row: AuditRow): AuditEntryView {
  return {
    seq: row.seq,
    atMicros: row.at,
    actor: actorOf({ id: row.actor_id, name: row.actor_name, kind: row.actor_kind }),
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    payloadSha256: row.payload_sha256,
    payload: row.payload === null ? null : JSON.parse(row.payload),
    previousHash: row.previous_hash,
    hash: row.hash,
  };
}
