import type { Actor } from '../access/caller.ts';
import type { TableSnapshotRef } from '../tables/table.ts';

export interface PointInTimeOptions {
  readonly boundary: 'INCLUSIVE' | 'EXCLUSIVE';
  readonly knowledge: 'IGNORE' | 'KNOWN_AT_EVENT';
  readonly onTie: 'ERROR' | 'LAST_BY_SEQUENCE';
  readonly nulls: 'KEEP' | 'LAST_NON_NULL';
  readonly matchStatus: boolean;
}

export interface TimeSplit {
  readonly name: string;
  /** Inclusive; null for no bound. */
  readonly fromMicros: bigint | null;
  /** Exclusive; null for no bound. */
  readonly toMicros: bigint | null;
}

export type Split =
  | { readonly kind: 'TIME'; readonly windows: readonly TimeSplit[] }
  | {
      readonly kind: 'HASH';
      readonly columns: readonly string[];
      readonly seed: bigint;
      readonly shares: readonly { readonly name: string; readonly share: number }[];
    };

export interface TrainingSet {
  readonly name: string;
  readonly version: number;
  readonly data: TableSnapshotRef;
  readonly spine: TableSnapshotRef;
  readonly spineEventTime: string;
  readonly labels: readonly string[];
  /** Every pinned snapshot that it was computed from, the tables of a spine's SELECT included. */
  readonly sources: readonly TableSnapshotRef[];
  /** Those of them that the feature tables were read at; a feature table without rows had none. */
  readonly featureSnapshots: readonly TableSnapshotRef[];
  readonly featureSet: { readonly name: string; readonly version: number };
  readonly options: PointInTimeOptions;
  readonly split: Split | null;
  readonly rowCount: bigint;
  /** Hex SHA-256, `icecore-rows/1`. */
  readonly digest: string;
  readonly redacted: boolean;
  readonly ruleVersion: string;
  readonly createdAtMicros: bigint;
  readonly createdBy: Actor;
  readonly runId: string;
}

export type ReproductionVerdict = 'EXACT' | 'DRIFTED' | 'REDACTED' | 'UNAVAILABLE';
