import { randomBytes } from 'node:crypto';

/** A random positive 63-bit id for a snapshot. */
export function newSnapshotId(): bigint {
  const id = randomBytes(8).readBigUInt64BE() >> 1n;
  return id === 0n ? newSnapshotId() : id;
}
