import { createHash } from 'node:crypto';

/** The 32 bytes under which a key is kept and looked up, so that no comparison takes longer the more of a key is right. */
export function sha256Bytes(key: string): Uint8Array {
  return createHash('sha256').update(key).digest();
}
