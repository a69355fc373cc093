import { featureRowsSql, keysEqualSql } from './feature-rows.ts';
import { withinTimeToLiveSql } from './newest-event.ts';
import { type FeatureJoin, type PointInTimePlan, spinePosition } from './plan.ts';
import { valueIdentitySql } from './value-identity.ts';

/** The features that are judged together: all of a join under KEEP, one by one under LAST_NON_NULL. */
export interface FeatureGroup {
  /** Places of features in the join. */
  readonly features: readonly number[];
  /** The feature whose null rows are passed over. */
  readonly having: number | undefined;
}

function featureNames(group: FeatureGroup): string {
  return group.features.map((index) => `f${index}`).join(', ');
}

/** Every row at the newest event that a spine row may see: (spine_position, known, sequence, features). Most often one each. */
export function candidatesSql(plan: PointInTimePlan, join: FeatureJoin, group: FeatureGroup, newestEvent: string): string {
  const rows = featureRowsSql(plan.spine, join, { known: true, sequence: true, ...group });
  const known = plan.options.knowledge === 'KNOWN_AT_EVENT' ? ' AND t.known <= n.ts' : '';
  return `SELECT n.${spinePosition}, t.known, t.sequence, ${featureNames(group)} FROM ${newestEvent} n JOIN ${rows} t
    ON ${keysEqualSql(join, 'n', 't')} AND n.event = t.event${known} WHERE ${withinTimeToLiveSql(plan, join, 'n')}`;
}

/** The candidates that are greatest by known time and, where the policy says so, by sequence; nulls lowest. */
export function greatestSql(plan: PointInTimePlan, candidates: string): string {
  const sequence = plan.options.onTie === 'LAST_BY_SEQUENCE' ? ', sequence DESC NULLS LAST' : '';
  return `SELECT * FROM ${candidates}
    QUALIFY rank() OVER (PARTITION BY ${spinePosition} ORDER BY known DESC NULLS LAST${sequence}) = 1`;
}

/** Spine rows whose greatest candidates still differ: (spine_position, a boolean `d<place>` for each feature that differs). */
export function tiesSql(join: FeatureJoin, group: FeatureGroup, greatest: string): string {
  const differs = join.features.flatMap((feature, index) =>
    group.features.includes(index)
      ? [[index, `count(DISTINCT row(${valueIdentitySql(`f${index}`, feature.type)})) > 1`] as const]
      : [],
  );
  const columns = differs.map(([index, expression]) => `${expression} AS d${index}`);
  return `SELECT ${spinePosition}, ${columns.join(', ')} FROM ${greatest} GROUP BY ${spinePosition}
    HAVING count(*) > 1 AND (${differs.map(([, expression]) => expression).join(' OR ')})`;
}

/** One row for each spine row, of candidates that are equal in what is taken from them. */
export function winnersSql(group: FeatureGroup, greatest: string): string {
  return `SELECT ${spinePosition}, ${featureNames(group)} FROM ${greatest}
    QUALIFY row_number() OVER (PARTITION BY ${spinePosition}) = 1`;
}
