import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';

/** An Iceberg table as it stood when it was loaded: a value that never changes. */
export interface Table {
  readonly identifier: TableIdentifier;
  readonly uuid: string;
  readonly metadataLocation: string;
  readonly metadata: TableMetadata;
}

/** Exactly one member is set. */
export interface AsOf {
  readonly snapshotId?: bigint;
  readonly timestampMicros?: bigint;
  readonly ref?: string;
}

/** A table at one snapshot, as it is recorded: what stays when either is gone. */
export interface TableSnapshotRef {
  readonly tableUuid: string;
  /** The name when it was recorded. */
  readonly tableName: string;
  readonly snapshotId: bigint;
}
