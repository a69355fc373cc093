import { canonicalJson } from '../ledger/canonical-json.ts';
import { publicKeyId, type SigningKey, verifySignature } from './signing-key.ts';

/** That the chain had this hash at this place at this time, signed; kept outside the warehouse (semantics, section 8). */
export interface Checkpoint {
  readonly chain: string;
  readonly seq: bigint;
  readonly hash: string;
  readonly atMicros: bigint;
  readonly keyId: string;
  /** Base64 of the Ed25519 signature over the canonical JSON of the other members, 64-bit integers as strings. */
  readonly signature: string;
}

export function signCheckpoint(key: SigningKey, unsigned: Omit<Checkpoint, 'keyId' | 'signature'>): Checkpoint {
  const named = { ...unsigned, keyId: key.keyId };
  return { ...named, signature: key.sign(signedText(named)) };
}

/** Whether one of these public keys (PEM) made the checkpoint. */
export function isSigned(checkpoint: Checkpoint, publicKeys: readonly string[]): boolean {
  const key = publicKeys.find((candidate) => publicKeyId(candidate) === checkpoint.keyId);
  return key !== undefined && verifySignature(key, signedText(checkpoint), checkpoint.signature);
}

/** One line of an anchor file. */
export function printCheckpoint(checkpoint: Checkpoint): string {
  const { chain, seq, hash, atMicros, keyId, signature } = checkpoint;
  return canonicalJson({ chain, seq, hash, atMicros, keyId, signature });
}

/** Null where the line is none: such a line is reported, never skipped in silence. */
export function parseCheckpoint(line: string): Checkpoint | null {
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    const { chain, seq, hash, atMicros, keyId, signature } = value;
    const texts = [chain, hash, keyId, signature].every((member) => typeof member === 'string');
    if (!texts || !isInteger(seq) || !isInteger(atMicros)) return null;
    return {
      chain: String(chain),
      seq: BigInt(seq),
      hash: String(hash),
      atMicros: BigInt(atMicros),
      keyId: String(keyId),
      signature: String(signature),
    };
  } catch {
    return null;
  }
}

function isInteger(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,19}$/.test(value);
}

function signedText({ chain, seq, hash, atMicros, keyId }: Omit<Checkpoint, 'signature'>): string {
  return canonicalJson({ chain, seq, hash, atMicros, keyId });
}
