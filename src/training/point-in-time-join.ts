import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeatureSet } from '../features/feature-set.ts';
import { featureJoins } from '../features/point-in-time/feature-joins.ts';
import {
  type FeatureJoin,
  type PointInTimePlan,
  type Spine,
  spinePosition,
  type TypedColumn,
} from '../features/point-in-time/plan.ts';
import { runPointInTime } from '../features/point-in-time/run.ts';
import { validatePointInTime } from '../features/point-in-time/validate.ts';
import type { Tables } from '../tables/tables.ts';
import { columnsOfPins, type FeaturePin, openPins } from './feature-pins.ts';
import type { PointInTimeOptions } from './training-set.ts';

/** The version of the rule that a training set records (semantics, section 1). */
export const pointInTimeRule = 'icecore-point-in-time/1';

export interface JoinRequest {
  readonly connection: DuckDBConnection;
  readonly featureSet: FeatureSet;
  readonly pins: readonly FeaturePin[];
  readonly spine: Spine;
  readonly options: PointInTimeOptions;
  /** The temporary table that is made on the connection. */
  readonly into: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Joins a spine to a feature set at pinned snapshots: makes the temporary table `into` and gives its columns in order. Throws what
 * `runPointInTime` throws, NOT_FOUND for files that are gone.
 */
export async function joinPointInTime(tables: Tables, request: JoinRequest): Promise<readonly TypedColumn[]> {
  const { featureSet, spine, options } = request;
  const open = await openPins(tables, featureSet, request.pins, request.signal);
  try {
    const plan = { spine, joins: featureJoins(featureSet, open.rowsOf), options };
    await runPointInTime(request.connection, plan, request.into, request.signal);
    return answerColumns(plan);
  } finally {
    open.release();
  }
}

/** Says early what would fail late: the plan is made and checked, no data is read. Throws as `joinPointInTime` does. */
export function checkJoin(request: Pick<JoinRequest, 'featureSet' | 'pins' | 'spine' | 'options'>): readonly TypedColumn[] {
  const joins = featureJoins(request.featureSet, columnsOfPins(request.featureSet, request.pins));
  const plan = { spine: request.spine, joins, options: request.options };
  validatePointInTime(plan);
  return answerColumns(plan);
}

/** The spine's columns, `spine_position`, the features in the order of the set, the statuses join by join. */
function answerColumns({ spine, joins, options }: PointInTimePlan): readonly TypedColumn[] {
  const position: TypedColumn = { column: spinePosition, type: 'long' };
  const features = joins
    .flatMap((join) => join.features)
    .toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0))
    .map(({ alias, type }): TypedColumn => ({ column: alias, type }));
  const statuses = joins.map(({ statusColumn }: FeatureJoin): TypedColumn => ({ column: statusColumn, type: 'string' }));
  return [...spine.columns, position, ...features, ...(options.matchStatus ? statuses : [])];
}
