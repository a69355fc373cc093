import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from './metadata.ts';
import { firstPartitionFieldId } from './partition-spec.ts';

/** Metadata on its way through a list of updates: what `-1`, "the one added last", means, and what was added on the way. */
export interface MetadataDraft {
  readonly metadata: TableMetadata;
  /** The metadata before the first update; null for a table that is being created. */
  readonly base: TableMetadata | null;
  readonly nowMs: number;
  readonly lastAddedSchemaId: number | null;
  readonly lastAddedSpecId: number | null;
  readonly lastAddedSortOrderId: number | null;
  readonly addedSnapshotIds: ReadonlySet<bigint>;
  readonly hasRemovedSnapshots: boolean;
}

/** What a table is before anything is known of it. */
const emptyMetadata: TableMetadata = {
  formatVersion: 2,
  tableUuid: '',
  location: '',
  lastSequenceNumber: 0n,
  lastUpdatedMs: 0,
  lastColumnId: 0,
  schemas: [],
  currentSchemaId: -1,
  partitionSpecs: [],
  defaultSpecId: -1,
  lastPartitionId: firstPartitionFieldId - 1,
  sortOrders: [],
  defaultSortOrderId: -1,
  properties: {},
  currentSnapshotId: null,
  snapshots: [],
  snapshotLog: [],
  metadataLog: [],
  refs: {},
  extra: {},
};

export function beginDraft(base: TableMetadata | null, nowMs: number): MetadataDraft {
  return {
    metadata: base ?? emptyMetadata,
    base,
    nowMs,
    lastAddedSchemaId: null,
    lastAddedSpecId: null,
    lastAddedSortOrderId: null,
    addedSnapshotIds: new Set(),
    hasRemovedSnapshots: false,
  };
}

/** The draft with some members of the metadata replaced. */
export function withMembers(draft: MetadataDraft, members: Partial<TableMetadata>): MetadataDraft {
  return { ...draft, metadata: { ...draft.metadata, ...members } };
}

export function refuseUpdate(reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The table cannot be changed so: ${reason}.`);
}
