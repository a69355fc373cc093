import type { Literal } from './type.ts';

export type FileContent = 'data' | 'position-deletes' | 'equality-deletes';

/** A data or delete file as manifests describe it (spec: "Manifests", `data_file`). Metrics are keyed by leaf field id. */
export interface DataFile {
  readonly content: FileContent;
  readonly filePath: string;
  /** Lower case: `parquet`, `avro`, `orc`, `puffin`. */
  readonly fileFormat: string;
  readonly specId: number;
  /** One value for each field of the spec, in its order; null for null. */
  readonly partition: readonly (Literal | null)[];
  readonly recordCount: bigint;
  readonly fileSizeInBytes: bigint;
  readonly columnSizes: ReadonlyMap<number, bigint>;
  readonly valueCounts: ReadonlyMap<number, bigint>;
  readonly nullValueCounts: ReadonlyMap<number, bigint>;
  readonly nanValueCounts: ReadonlyMap<number, bigint>;
  /** Single-value bytes (spec: Appendix D). */
  readonly lowerBounds: ReadonlyMap<number, Uint8Array>;
  readonly upperBounds: ReadonlyMap<number, Uint8Array>;
  readonly keyMetadata: Uint8Array | null;
  readonly splitOffsets: readonly bigint[] | null;
  readonly equalityIds: readonly number[] | null;
  readonly sortOrderId: number | null;
  /** v3 */
  readonly firstRowId?: bigint | null;
  readonly referencedDataFile?: string | null;
  readonly contentOffset?: bigint | null;
  readonly contentSizeInBytes?: bigint | null;
}

/** An entry of a manifest, its inherited values already filled in where it was read. */
export interface ManifestEntry {
  readonly status: 'existing' | 'added' | 'deleted';
  readonly snapshotId: bigint | null;
  /** Null where it is inherited on read: entries ADDED by the commit being written. */
  readonly sequenceNumber: bigint | null;
  readonly fileSequenceNumber: bigint | null;
  readonly dataFile: DataFile;
}

export interface FieldSummary {
  readonly containsNull: boolean;
  readonly containsNan: boolean | null;
  readonly lowerBound: Uint8Array | null;
  readonly upperBound: Uint8Array | null;
}

/** A manifest as the manifest list describes it (spec: "Manifest Lists", `manifest_file`). */
export interface ManifestFile {
  readonly manifestPath: string;
  readonly manifestLength: bigint;
  readonly partitionSpecId: number;
  readonly content: 'data' | 'deletes';
  readonly sequenceNumber: bigint;
  readonly minSequenceNumber: bigint;
  readonly addedSnapshotId: bigint;
  readonly addedFilesCount: number;
  readonly existingFilesCount: number;
  readonly deletedFilesCount: number;
  readonly addedRowsCount: bigint;
  readonly existingRowsCount: bigint;
  readonly deletedRowsCount: bigint;
  readonly partitions: readonly FieldSummary[];
  readonly keyMetadata: Uint8Array | null;
  readonly firstRowId?: bigint | null;
}
