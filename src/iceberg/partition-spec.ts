/** `identity`, `bucket[N]`, `truncate[W]`, `year`, `month`, `day`, `hour`, `void`, or the text of one that is not known. */
export type Transform = string;

export interface PartitionField {
  readonly fieldId: number;
  readonly sourceId: number;
  readonly name: string;
  readonly transform: Transform;
}

/** How rows map to partitions (spec: "Partitioning"). */
export interface PartitionSpec {
  readonly specId: number;
  readonly fields: readonly PartitionField[];
}
