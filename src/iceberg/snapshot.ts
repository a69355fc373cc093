export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete';

/** The state of a table at some time (spec: "Snapshots"). Ids are random positive 63-bit integers. */
export interface Snapshot {
  readonly snapshotId: bigint;
  readonly parentSnapshotId: bigint | null;
  readonly sequenceNumber: bigint;
  readonly timestampMs: number;
  readonly manifestList: string;
  /** All values are strings; holds `operation`, but in some snapshots of v1. */
  readonly summary: Readonly<Record<string, string>>;
  readonly schemaId: number | null;
  /** v3 */
  readonly firstRowId?: bigint;
  readonly addedRows?: bigint;
  /** v1 tables may list manifests instead of naming a list. */
  readonly manifests?: readonly string[];
  /** Members that this code does not interpret (a key id, say), kept as read. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface SnapshotRef {
  readonly snapshotId: bigint;
  readonly type: 'branch' | 'tag';
  readonly minSnapshotsToKeep?: number;
  readonly maxSnapshotAgeMs?: bigint;
  readonly maxRefAgeMs?: bigint;
}

export const mainBranch = 'main';
/** The greatest long: how a pin says that it never expires, in any engine. */
export const neverExpiresMs = 9223372036854775807n;
