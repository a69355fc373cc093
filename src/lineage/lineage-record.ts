export type LineageKind =
  | 'TABLE'
  | 'FEATURE'
  | 'FEATURE_SET'
  | 'TRAINING_SET'
  | 'RUN'
  | 'MODEL_VERSION'
  | 'PREDICTION'
  | 'EXTERNAL';

/** A versioned thing (semantics, section 5). A table's version is its snapshot id. */
export interface LineageRef {
  readonly kind: LineageKind;
  /** Table uuid; for FEATURE `<table uuid>/<field id>`; feature sets, training sets and models go by name; runs by run id; PREDICTION `<table uuid>/<prediction id>`. */
  readonly uuid: string;
  readonly version: string | null;
  /** The name when it was recorded. */
  readonly name: string;
}

export interface ColumnLineage {
  readonly from: string;
  readonly to: string;
  readonly transformation: string | null;
}

/** One recorded step: `from` was read, `to` was written, by `runId` where a run did it. */
export interface LineageEdgeDraft {
  readonly from: LineageRef;
  readonly to: LineageRef;
  readonly runId: string | null;
  readonly columns: readonly ColumnLineage[];
}
