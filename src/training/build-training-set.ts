import type { DuckDBConnection } from '@duckdb/node-api';
import type { FeatureSet } from '../features/feature-set.ts';
import { type Spine, spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { Tables } from '../tables/tables.ts';
import type { FeaturePin } from './feature-pins.ts';
import { joinPointInTime } from './point-in-time-join.ts';
import { digestRelation } from './row-digest.ts';
import { splitColumn } from './split.ts';
import { splitSql } from './split-sql.ts';
import type { PointInTimeOptions, Split } from './training-set.ts';

export interface TrainingRows {
  /** What stands behind FROM, on the connection it was made on. */
  readonly relation: string;
  readonly columns: readonly TypedColumn[];
  readonly digest: string;
}

/**
 * The rows of a training set: a total function of (spine rows, pinned snapshots, feature-set version, options, rule version), and the
 * split (semantics, section 1). Making one and reproducing one both come here.
 */
export async function buildTrainingRows(
  tables: Tables,
  connection: DuckDBConnection,
  parts: {
    readonly featureSet: FeatureSet;
    readonly pins: readonly FeaturePin[];
    readonly spine: Spine;
    readonly options: PointInTimeOptions;
    readonly split: Split | null;
  },
  signal?: AbortSignal,
): Promise<TrainingRows> {
  const into = 'icecore_training_rows';
  const joined = await joinPointInTime(tables, { ...parts, connection, into, signal });
  const { columns, select } = withSplit(joined, parts.spine, parts.split);
  const relation = `(SELECT ${select} FROM ${quoteIdentifier(into)})`;
  const named = columns.map(({ column, type }) => ({ name: column, type }));
  const digest = await digestRelation(connection, relation, named, spinePosition, signal);
  return { relation, columns, digest };
}

/** The columns with the split's, where there is one, and the SELECT list that gives them. */
export function withSplit(
  joined: readonly TypedColumn[],
  spine: Spine,
  split: Split | null,
): { readonly columns: readonly TypedColumn[]; readonly select: string } {
  if (split === null) return { columns: joined, select: '*' };
  const select = `*, ${splitSql(split, joined, spine.eventTime)} AS ${quoteIdentifier(splitColumn)}`;
  return { columns: [...joined, { column: splitColumn, type: 'string' }], select };
}
