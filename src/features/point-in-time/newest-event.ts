import { featureRowsSql, keyNames, keysEqualSql, probeRowsSql } from './feature-rows.ts';
import { durationSql, instantUnit } from './instant.ts';
import { type FeatureJoin, type PointInTimePlan, spinePosition } from './plan.ts';

/** Nothing is later than this, so under EXCLUSIVE nothing can match it; the end of a long in DuckDB's timestamps. */
const latestInstant = '9223372036854775807';

/**
 * One row (spine_position, keys, ts, event) for each spine row that has a feature row at or before its moment: `event` is the
 * greatest event time that it may see, whatever the time to live. `having` looks only at rows where that feature has a value.
 *
 * Under KNOWN_AT_EVENT a row is there from the later of its event and known time on. In the order of that moment the greatest
 * event so far is a running maximum, so one ASOF join answers a condition on two times, however late a correction came. The
 * greatest event decides about the time to live too: if it is too old, so are all others.
 */
export function newestEventSql(plan: PointInTimePlan, join: FeatureJoin, having: number | undefined): string {
  const { boundary, knowledge } = plan.options;
  const probes = probeRowsSql(plan.spine, join);
  const columns = [spinePosition, ...keyNames(join), 'ts'].map((column) => `p.${column}`).join(', ');
  if (knowledge === 'IGNORE') {
    const later = boundary === 'INCLUSIVE' ? '>=' : '>';
    return `SELECT ${columns}, t.event FROM ${probes} p ASOF JOIN ${featureRowsSql(plan.spine, join, { having })} t
      ON ${keysEqualSql(join, 'p', 't')} AND p.ts ${later} t.event`;
  }
  const keys = keyNames(join).join(', ');
  const rows = featureRowsSql(plan.spine, join, { known: true, having });
  const seenFrom = boundary === 'INCLUSIVE' ? 'event' : '(event + 1)';
  const bounded =
    boundary === 'INCLUSIVE' ? '' : ` AND event < ${latestInstant}${instantUnit(plan.spine, join) === 'nanos' ? '000' : ''}`;
  return `SELECT ${columns}, t.event FROM ${probes} p ASOF JOIN (
      SELECT ${keys}, seen, max(event) OVER (PARTITION BY ${keys} ORDER BY seen ASC
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS event
      FROM (SELECT ${keys}, event, greatest(${seenFrom}, known) AS seen FROM ${rows} WHERE known IS NOT NULL${bounded})) t
    ON ${keysEqualSql(join, 'p', 't')} AND p.ts >= t.seen`;
}

/** Whether `event` lies within the time to live of `ts`, both ends included. */
export function withinTimeToLiveSql(plan: PointInTimePlan, join: FeatureJoin, alias: string): string {
  if (join.timeToLiveMicros === null) return 'true';
  const timeToLive = durationSql(join.timeToLiveMicros, instantUnit(plan.spine, join));
  return `${alias}.event::HUGEINT >= ${alias}.ts::HUGEINT - ${timeToLive}`;
}
