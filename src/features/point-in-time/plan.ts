import type { Type } from '../../iceberg/type.ts';
import type { PointInTimeOptions } from './options.ts';

export interface TypedColumn {
  readonly column: string;
  readonly type: Type;
}

/** Entities, moments and labels: one row of the answer for each row of it. */
export interface Spine {
  /** What stands behind FROM: a table's name, quoted, or a SELECT in parentheses. Has a unique BIGINT `spine_position`. */
  readonly relation: string;
  readonly eventTime: TypedColumn;
  /** The columns that come out, in order; `spine_position` is not among them. */
  readonly columns: readonly TypedColumn[];
  readonly labels: readonly string[];
}

export interface JoinKey {
  /** The entity key's column in the feature table. */
  readonly key: string;
  readonly type: Type;
  readonly spineColumn: string;
}

export interface SelectedFeature extends TypedColumn {
  /** The name that it has in the answer. */
  readonly alias: string;
  /** Its place among all features of the answer; where left out, joins follow each other. */
  readonly place?: number;
}

/** A feature table, joined by one key map, with the features that are taken from it. */
export interface FeatureJoin {
  /** What stands behind FROM: the table's rows at its pinned snapshot. Read more than once, so cheap to read again. */
  readonly relation: string;
  /** The table's name as people know it, for messages. */
  readonly table: string;
  readonly entityKeys: readonly JoinKey[];
  readonly eventTime: TypedColumn;
  readonly knownTime: TypedColumn | null;
  readonly sequence: TypedColumn | null;
  readonly timeToLiveMicros: bigint | null;
  readonly features: readonly SelectedFeature[];
  /** The name of the status column; used under `matchStatus` alone. */
  readonly statusColumn: string;
}

export interface PointInTimePlan {
  readonly spine: Spine;
  readonly joins: readonly FeatureJoin[];
  readonly options: PointInTimeOptions;
}

export const spinePosition = 'spine_position';
