/** How often the store was asked, since the start: tests assert by it that answers cost a bounded number of reads. */
export interface ReadCounts {
  /** Calls of the catalog, however many tables each asked for. */
  readonly catalogLoads: number;
  /** Metadata files read from storage. */
  readonly metadataReads: number;
  /** Manifests and manifest lists read from storage. */
  readonly manifestReads: number;
}
