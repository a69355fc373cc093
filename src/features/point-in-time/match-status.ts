import { featureRowsSql, keysEqualSql, probeRowsSql } from './feature-rows.ts';
import { newestEventSql, withinTimeToLiveSql } from './newest-event.ts';
import { type FeatureJoin, type PointInTimePlan, spinePosition } from './plan.ts';

/** The newest event at or before each spine row's moment, known or not: (spine_position, keys, ts, event). */
export function newestEventKnownOrNotSql(plan: PointInTimePlan, join: FeatureJoin): string {
  return newestEventSql({ ...plan, options: { ...plan.options, knowledge: 'IGNORE' } }, join, undefined);
}

/**
 * Why each spine row has no value, for spine rows that have none: (spine_position, status). `newestEvent` is what the options
 * let it see, `newestKnownOrNot` the same under IGNORE; both are tables of `newestEventSql`.
 */
export function missStatusSql(plan: PointInTimePlan, join: FeatureJoin, newestEvent: string, newestKnownOrNot: string): string {
  return `SELECT p.${spinePosition}, CASE
      WHEN n.event IS NOT NULL AND ${withinTimeToLiveSql(plan, join, 'n')} THEN 'NULL_VALUE'
      WHEN a.event IS NOT NULL AND ${withinTimeToLiveSql(plan, join, 'a')} THEN 'NOT_YET_KNOWN'
      WHEN a.event IS NOT NULL THEN 'EXPIRED' ELSE 'FUTURE_ONLY' END AS status
    FROM ${probeRowsSql(plan.spine, join)} p
    SEMI JOIN ${featureRowsSql(plan.spine, join, {})} t ON ${keysEqualSql(join, 'p', 't')}
    LEFT JOIN ${newestEvent} n ON n.${spinePosition} = p.${spinePosition}
    LEFT JOIN ${newestKnownOrNot} a ON a.${spinePosition} = p.${spinePosition}`;
}
