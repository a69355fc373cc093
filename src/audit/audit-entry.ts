import type { ActorKind } from '../access/caller.ts';
import { canonicalJson, sha256Hex } from '../ledger/canonical-json.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';

/** The chain's name in the catalog. */
export const auditChain = 'audit';

/** A row of `icecore.audit_log`, one link of the chain (semantics, section 8). */
export type AuditRow = {
  /** 1 for the first link, without gaps. */
  readonly seq: bigint;
  readonly at: bigint;
  readonly actor_id: string;
  readonly actor_name: string | null;
  readonly actor_kind: string;
  readonly action: string;
  readonly subject: string;
  /** `SUCCEEDED`, `STARTED`, `FAILED`, `CANCELLED`, or the code of the refusal. */
  readonly outcome: string;
  readonly payload_sha256: string;
  /** Canonical JSON; null where it was erased. */
  readonly payload: string | null;
  readonly previous_hash: string;
  readonly hash: string;
};

export const auditLog: LedgerTable<AuditRow> = {
  name: 'icecore.audit_log',
  mode: 'append',
  key: ['seq'],
  indexes: [
    ['subject', 'seq'],
    ['actor_id', 'seq'],
    ['at', 'seq'],
  ],
  // One subject for all: nothing ever guards on it, and the catalog keeps a line for each.
  subject: () => 'audit_log',
  columns: [
    { name: 'seq', type: 'long', required: true, doc: 'Place in the chain, from 1, without gaps' },
    { name: 'at', type: 'timestamptz', required: true, doc: 'When it happened' },
    { name: 'actor_id', type: 'string', required: true, doc: "The credential's subject: a pseudonym" },
    { name: 'actor_name', type: 'string', required: false, doc: 'Outside the hash, so that it can be erased' },
    { name: 'actor_kind', type: 'string', required: true, doc: 'HUMAN, SERVICE, AGENT or LOCAL' },
    { name: 'action', type: 'string', required: true, doc: 'What was done' },
    { name: 'subject', type: 'string', required: true, doc: 'What it was done to: model/churn, run/ID, table/UUID@SNAPSHOT' },
    { name: 'outcome', type: 'string', required: true, doc: 'SUCCEEDED, STARTED, FAILED, CANCELLED, or the code of the refusal' },
    { name: 'payload_sha256', type: 'string', required: true, doc: "SHA-256 of the payload's canonical JSON (RFC 8785)" },
    { name: 'payload', type: 'string', required: false, doc: 'Details as canonical JSON; null where erased' },
    { name: 'previous_hash', type: 'string', required: true, doc: 'Hash of the link before; 64 zeros at first' },
    {
      name: 'hash',
      type: 'string',
      required: true,
      doc: 'SHA-256 of the previous hash, as 32 bytes, and the canonical JSON of the entry',
    },
  ],
};

/** What one link says, before it has a place in the chain. */
export interface AuditFact {
  readonly atMicros: bigint;
  readonly actorId: string;
  readonly actorName: string | null;
  readonly actorKind: ActorKind;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  /** Canonical JSON. No personal data: digests and pseudonyms. */
  readonly payload: string;
}

/** The link that follows another. Pure. */
export function sealFact(fact: AuditFact, previous: { readonly seq: bigint; readonly hash: string }): AuditRow {
  const row = {
    seq: previous.seq + 1n,
    at: fact.atMicros,
    actor_id: fact.actorId,
    actor_name: fact.actorName,
    actor_kind: fact.actorKind,
    action: fact.action,
    subject: fact.subject,
    outcome: fact.outcome,
    payload_sha256: sha256Hex(fact.payload),
    payload: fact.payload,
    previous_hash: previous.hash,
  };
  return { ...row, hash: linkHash(row) };
}

/**
 * SHA-256 over the previous hash, as its 32 bytes, and the canonical JSON (RFC 8785, UTF-8) of `action`, `actor_id`, `actor_kind`,
 * `at` (microseconds since the epoch, as a string), `outcome`, `payload_sha256`, `seq` (as a string) and `subject`. Lower-case hex.
 */
export function linkHash(row: Omit<AuditRow, 'hash'>): string {
  const { action, actor_id, actor_kind, at, outcome, payload_sha256, seq, subject } = row;
  const entry = canonicalJson({ action, actor_id, actor_kind, at, outcome, payload_sha256, seq, subject });
  return sha256Hex(Buffer.from(row.previous_hash, 'hex'), entry);
}
