import { type AuditFact, type AuditRow, auditChain, sealFact } from '../../src/audit/audit-entry.ts';
import { type Checkpoint, signCheckpoint } from '../../src/audit/checkpoint.ts';
import type { SigningKey } from '../../src/audit/signing-key.ts';

/** The facts of the published vectors. */
export const facts: readonly AuditFact[] = [
  fact(1_700_000_000_000_000n, 'createTable', 'table/6f1b1c8e-0f8f-4a1c-9a53-3f3c2d1b0a99', '{"name":"raw.flights"}'),
  fact(1_700_000_000_000_001n, 'registerModelVersion', 'model/spät', '{"snapshot":"9223372036854775807","version":3}'),
  {
    ...fact(1_700_000_001_000_000n, 'reviewModelVersion', 'model/spät', '{}'),
    outcome: 'FORBIDDEN',
    actorId: 'bot',
    actorKind: 'AGENT',
  },
];

function fact(atMicros: bigint, action: string, subject: string, payload: string): AuditFact {
  return { atMicros, actorId: 'ana', actorName: 'Ana', actorKind: 'HUMAN', action, subject, outcome: 'SUCCEEDED', payload };
}

/** A chain of so many links. */
export function chainOf(length: number): readonly AuditRow[] {
  const rows: AuditRow[] = [];
  let previous = { seq: 0n, hash: '0'.repeat(64) };
  for (let index = 0; index < length; index++) {
    const row = sealFact(fact(BigInt(index), `action${index % 5}`, `model/m${index % 3}`, `{"n":${index}}`), previous);
    rows.push(row);
    previous = row;
  }
  return rows;
}

export function checkpointOf(key: SigningKey, row: AuditRow): Checkpoint {
  return signCheckpoint(key, { chain: auditChain, seq: row.seq, hash: row.hash, atMicros: row.at });
}
