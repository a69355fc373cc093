/** Shapes that fields are answered from where the domain has no value of its own for them. */

import type { RecordBatch } from 'apache-arrow';
import type { Actor } from '../src/access/caller.ts';
import type { Snapshot } from '../src/iceberg/snapshot.ts';
import type { ColumnLineage, LineageKind } from '../src/lineage/lineage-record.ts';
import type { Assurance } from '../src/models/model.ts';
import type { Run } from '../src/runs/run.ts';
import type { Table, TableSnapshotRef } from '../src/tables/table.ts';
import type { EncodedBatch } from '../src/training/feed/encoded-batches.ts';
import type { FeedGroup } from '../src/training/groups/feed-groups.ts';
import type { PlanPage, TrainingPlan } from '../src/training/plan/training-plan.ts';

export interface SnapshotView {
  readonly table: Table;
  readonly snapshot: Snapshot;
}

export interface SnapshotRefView {
  readonly table: Table;
  readonly name: string;
  readonly type: 'BRANCH' | 'TAG';
  readonly snapshotId: bigint;
  readonly maxRefAgeMicros: bigint | null;
}

export interface ColumnView {
  readonly table: Table;
  readonly fieldId: number;
  readonly name: string;
  /** An Iceberg type as text. */
  readonly type: string;
  readonly required: boolean;
  readonly doc: string | null;
}

export interface ColumnStatisticsView {
  readonly rowCount: bigint;
  readonly nullCount: bigint;
  readonly distinctCount: bigint | null;
  readonly min: unknown;
  readonly max: unknown;
  readonly mean: number | null;
  readonly stddev: number | null;
  readonly quantiles: readonly number[] | null;
  readonly histogram: readonly HistogramBinView[] | null;
}

export interface HistogramBinView {
  readonly lower: number;
  readonly upper: number;
  readonly count: bigint;
}

export interface PartitionFieldView {
  readonly name: string;
  readonly column: string;
  readonly transform: string;
}

export interface RowPageView {
  readonly snapshotId: bigint | null;
  readonly columns: readonly ColumnView[];
  readonly rows: readonly unknown[];
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
}

export interface LineageNodeView {
  readonly id: string;
  readonly kind: LineageKind;
  readonly uuid: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly state: 'PRESENT' | 'DELETED' | 'HIDDEN' | 'REDACTED';
}

export interface LineageEdgeView {
  readonly id: string;
  readonly from: LineageNodeView;
  readonly to: LineageNodeView;
  readonly runId: string | null;
  readonly recordedAtMicros: bigint;
  readonly columns: readonly ColumnLineage[];
}

export interface LineageGraphView {
  readonly root: LineageNodeView;
  readonly nodes: readonly LineageNodeView[];
  readonly edges: readonly LineageEdgeView[];
  readonly depthReached: number;
  readonly complete: boolean;
  readonly incompleteBecause: readonly string[];
  readonly frontierCursor: string | null;
  readonly asOfMicros: bigint;
}

export interface AuditEntryView {
  readonly seq: bigint;
  readonly atMicros: bigint;
  readonly actor: Actor;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly payloadSha256: string;
  readonly payload: unknown;
  readonly previousHash: string;
  readonly hash: string;
}

export interface ChainVerificationView {
  readonly consistent: boolean;
  readonly headSeq: bigint;
  readonly verifiedThroughSeq: bigint | null;
  readonly anchor: string | null;
  readonly firstFault: string | null;
}

export interface AuditStepView {
  readonly kind: string;
  readonly node: LineageNodeView;
  readonly by: Actor | null;
  readonly atMicros: bigint | null;
  readonly entrySeq: bigint | null;
  readonly detail: unknown;
}

export interface AuditTrailView {
  /** A global id. */
  readonly of: string;
  readonly steps: readonly AuditStepView[];
  readonly complete: boolean;
  readonly missing: readonly string[];
  readonly assurance: Assurance;
  readonly chain: ChainVerificationView;
}

export interface PredictionExplanationView {
  readonly features: unknown;
  readonly sources: readonly TableSnapshotRef[];
  readonly model: string;
  readonly version: number;
  readonly approvedBy: Actor | null;
  readonly trainingSet: { readonly name: string; readonly version: number } | null;
  readonly rederived: boolean;
  readonly differences: readonly string[];
  readonly trail: AuditTrailView;
}

/** One record batch on its way, by whichever transport. */
export interface SqlBatchView {
  readonly recordBatch: RecordBatch;
  /** Of the batch's own message. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly rowCount: number;
  readonly last: boolean;
  readonly snapshots: readonly TableSnapshotRef[];
}

export interface TrainingBatchView {
  readonly schemaMessage: Uint8Array;
  readonly endMessage: Uint8Array;
  readonly message: EncodedBatch;
  readonly rowCount: number;
  readonly last: boolean;
  readonly epoch: number;
  readonly globalBatch: bigint;
  readonly rowsTotal: bigint;
  readonly cursor: string;
}

export type TrainingRowGroupView = FeedGroup;

export type TrainingFileView = PlanPage['files'][number];

export type FeedOrderView = TrainingPlan['order'];

export type TrainingPlanView = TrainingPlan;

export interface ViewerView {
  readonly actor: Actor;
  readonly roles: readonly string[];
}

export interface HeldSnapshotView {
  readonly snapshotId: bigint;
  readonly heldBy: readonly string[];
}

export interface ExpireSnapshotsView {
  readonly run: Run;
  readonly removed: readonly bigint[];
  readonly kept: readonly HeldSnapshotView[];
}

export interface RemoveOrphanFilesView {
  readonly run: Run;
  readonly files: readonly string[];
  readonly bytes: bigint;
  readonly truncated: boolean;
}
