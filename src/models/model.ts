import type { Actor } from '../access/caller.ts';
import type { TableSnapshotRef } from '../tables/table.ts';

export interface Model {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
  readonly riskTier: string | null;
  readonly protectedAliases: readonly string[];
  readonly registeredAtMicros: bigint;
  readonly registeredBy: Actor;
}

export interface ModelAlias {
  readonly model: string;
  readonly name: string;
  /** Null where the alias was taken away. */
  readonly version: number | null;
  readonly sinceMicros: bigint;
  readonly setBy: Actor;
  readonly protected: boolean;
}

export interface ModelAliasChange {
  readonly from: number | null;
  readonly to: number | null;
  readonly atMicros: bigint;
  readonly by: Actor;
  readonly reason: string | null;
}

export type ModelVersionStatus = 'DRAFT' | 'SUBMITTED' | 'APPROVED' | 'REJECTED' | 'SUSPENDED' | 'RETIRED';
export type DecisionKind = 'APPROVE' | 'REJECT' | 'SUSPEND' | 'RETIRE';
export type Assurance = 'CREDENTIAL' | 'LOCAL';

export interface ModelField {
  readonly name: string;
  /** An Iceberg type as text. */
  readonly type: string;
  readonly required: boolean;
}

export interface ModelSignature {
  readonly inputs: readonly ModelField[];
  readonly outputs: readonly ModelField[];
}

export interface ModelMetric {
  readonly name: string;
  readonly value: number;
  readonly split: string | null;
  readonly dataset: TableSnapshotRef | null;
}

export interface ModelEndpoint {
  readonly url: string;
  readonly protocol: 'OPEN_INFERENCE_V2' | 'MLFLOW';
  readonly model: string;
  readonly version: string | null;
}

export interface ModelDecision {
  readonly kind: DecisionKind;
  readonly by: Actor;
  readonly atMicros: bigint;
  readonly meaning: string;
  readonly comment: string | null;
  readonly digest: string;
  readonly assurance: Assurance;
  readonly keyId: string;
  readonly signature: string;
}

export interface ModelVersion {
  readonly model: string;
  readonly version: number;
  readonly status: ModelVersionStatus;
  /** Null where it was trained on a bare table. */
  readonly trainingSet: { readonly name: string; readonly version: number } | null;
  readonly trainingTable: TableSnapshotRef;
  readonly featureSet: { readonly name: string; readonly version: number; readonly hash: string } | null;
  readonly metrics: readonly ModelMetric[];
  readonly signature: ModelSignature;
  readonly artifactUri: string | null;
  readonly artifactSha256: string;
  readonly endpoint: ModelEndpoint | null;
  readonly digest: string;
  readonly redacted: boolean;
  readonly registeredBy: Actor;
  readonly registeredAtMicros: bigint;
  readonly submittedBy: Actor | null;
  /** Actor ids: all who may not approve. */
  readonly authors: readonly string[];
  readonly approvedBy: Actor | null;
  readonly approvedAtMicros: bigint | null;
}
