import type { TableSnapshotRef } from '../tables/table.ts';

/** A table with declared entity keys and an event time. The declaration lives in the table's own properties, `icecore.feature.*`. */
export interface FeatureTable {
  readonly tableUuid: string;
  readonly name: string;
  readonly entityKeys: readonly string[];
  readonly eventTime: string;
  readonly knownTime: string | null;
  readonly sequence: string | null;
  readonly timeToLiveMicros: bigint | null;
  readonly description: string | null;
  readonly owner: string | null;
  readonly tags: Readonly<Record<string, unknown>>;
  /** Descriptions of features by column name. */
  readonly featureDescriptions: Readonly<Record<string, string>>;
  /** The SELECT that computes it, and the engine with its version that runs it. */
  readonly definition: string | null;
  readonly definitionEngine: string | null;
}

/** A column of a feature table that is neither key nor time nor sequence. */
export interface Feature {
  readonly tableUuid: string;
  readonly tableName: string;
  readonly fieldId: number;
  readonly name: string;
  readonly type: string;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, unknown>>;
}

export interface FeatureVectors {
  /** Objects in the contract's JSON forms, keyed by alias, in the order asked. */
  readonly vectors: readonly Readonly<Record<string, unknown>>[];
  readonly snapshots: readonly TableSnapshotRef[];
}
