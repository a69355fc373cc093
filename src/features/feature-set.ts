import type { Actor } from '../access/caller.ts';

export interface KeyMapping {
  readonly key: string;
  readonly spineColumn: string;
}

/** A feature as a set froze it: what the declaration said then, by table uuid and field id. */
export interface FeatureRef {
  readonly tableUuid: string;
  /** The table's name when it was frozen. */
  readonly table: string;
  readonly fieldId: number;
  readonly feature: string;
  readonly alias: string;
  readonly type: string;
  readonly keyMap: readonly KeyMapping[];
}

/** What a set froze of each feature table: ids, so that a later rename or a change of properties changes nothing. */
export interface FrozenFeatureTable {
  readonly tableUuid: string;
  readonly table: string;
  readonly entityKeys: readonly { readonly fieldId: number; readonly name: string; readonly type: string }[];
  readonly eventTime: { readonly fieldId: number; readonly name: string; readonly type: string };
  readonly knownTime: { readonly fieldId: number; readonly name: string; readonly type: string } | null;
  readonly sequence: { readonly fieldId: number; readonly name: string; readonly type: string } | null;
  readonly timeToLiveMicros: bigint | null;
}

export interface FeatureSet {
  readonly name: string;
  readonly version: number;
  readonly features: readonly FeatureRef[];
  readonly tables: readonly FrozenFeatureTable[];
  /** SHA-256 over the canonical JSON of `features` and `tables`, hex. */
  readonly hash: string;
  readonly createdAtMicros: bigint;
  readonly createdBy: Actor;
}
