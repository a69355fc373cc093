import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteIdentifier, quoteText } from '../../sql/quote.ts';
import { candidatesSql, type FeatureGroup, greatestSql, tiesSql, winnersSql } from './candidates.ts';
import { missStatusSql, newestEventKnownOrNotSql } from './match-status.ts';
import { newestEventSql } from './newest-event.ts';
import { type FeatureJoin, type PointInTimePlan, spinePosition } from './plan.ts';
import { Scratch } from './scratch.ts';
import { tieError } from './tie-error.ts';
import { validatePointInTime } from './validate.ts';

/** What one feature join came to: tables of (spine_position, features), and one of (spine_position, status). */
interface JoinedFeatures {
  readonly join: FeatureJoin;
  readonly winners: readonly { readonly group: FeatureGroup; readonly table: string }[];
  readonly missStatus: string | null;
}

/**
 * The point-in-time join (semantics, section 1). Makes the temporary table `intoTable` with one row for each spine row, in
 * order of `spine_position`, and the columns: the spine's, `spine_position`, the features in their places under their aliases,
 * and under `matchStatus` the status columns join by join. The connection runs nothing else meanwhile; its time zone does not
 * matter, and with `preserve_insertion_order` off the table has to be read in order. What does not fit the memory limit spills
 * to the temporary directory.
 *
 * Throws BAD_USER_INPUT where the plan makes no sense (`validatePointInTime`), FAILED_PRECONDITION where rows tie, naming the
 * keys; what `signal` was aborted with. Nothing is left behind then.
 */
export async function runPointInTime(
  connection: DuckDBConnection,
  plan: PointInTimePlan,
  intoTable: string,
  signal?: AbortSignal,
): Promise<void> {
  validatePointInTime(plan);
  const scratch = new Scratch(connection, signal);
  try {
    const joined: JoinedFeatures[] = [];
    for (const join of plan.joins) joined.push(await joinFeatures(scratch, plan, join));
    await scratch.run(`CREATE TEMP TABLE ${quoteIdentifier(intoTable)} AS ${answerSql(plan, joined)}`);
  } finally {
    await scratch.clear();
  }
}

async function joinFeatures(scratch: Scratch, plan: PointInTimePlan, join: FeatureJoin): Promise<JoinedFeatures> {
  const winners: { group: FeatureGroup; table: string }[] = [];
  let newestEvent: string | null = null;
  for (const group of await featureGroups(scratch, plan, join)) {
    const newest = await scratch.table(newestEventSql(plan, join, group.having));
    if (group.having === undefined) newestEvent = newest;
    winners.push({ group, table: await winnersOf(scratch, plan, join, group, newest) });
  }
  return { join, winners, missStatus: plan.options.matchStatus ? await missStatus(scratch, plan, join, newestEvent) : null };
}

/** Features without a null are judged together, also under LAST_NON_NULL: going back for a value never happens to them. */
async function featureGroups(scratch: Scratch, plan: PointInTimePlan, join: FeatureJoin): Promise<readonly FeatureGroup[]> {
  const all = join.features.map((_, index) => index);
  if (plan.options.nulls === 'KEEP') return [{ features: all, having: undefined }];
  const columns = join.features.map((feature) => `count(*) > count(${quoteIdentifier(feature.column)})`);
  const [nullable = []] = await scratch.rows(`SELECT ${columns.join(', ')} FROM ${join.relation}`);
  const whole = all.filter((index) => nullable[index] !== true);
  const alone = all.filter((index) => nullable[index] === true).map((index) => ({ features: [index], having: index }));
  return whole.length === 0 ? alone : [{ features: whole, having: undefined }, ...alone];
}

async function winnersOf(
  scratch: Scratch,
  plan: PointInTimePlan,
  join: FeatureJoin,
  group: FeatureGroup,
  newestEvent: string,
): Promise<string> {
  const candidates = await scratch.table(candidatesSql(plan, join, group, newestEvent));
  const [counts] = await scratch.rows(`SELECT count(*) = count(DISTINCT ${spinePosition}) FROM ${candidates}`);
  // Most feature tables have one row for a key and an event time; then there is nothing to judge.
  if (counts?.[0] === true) return candidates;
  const greatest = await scratch.table(greatestSql(plan, candidates));
  const ties = await scratch.table(tiesSql(join, group, greatest));
  const error = await tieError(scratch, plan, join, group, ties, newestEvent);
  if (error !== null) throw error;
  return scratch.table(winnersSql(group, greatest));
}

async function missStatus(
  scratch: Scratch,
  plan: PointInTimePlan,
  join: FeatureJoin,
  newestEvent: string | null,
): Promise<string> {
  const seen = newestEvent ?? (await scratch.table(newestEventSql(plan, join, undefined)));
  const known = plan.options.knowledge === 'KNOWN_AT_EVENT';
  const knownOrNot = known ? await scratch.table(newestEventKnownOrNotSql(plan, join)) : seen;
  return scratch.table(missStatusSql(plan, join, seen, knownOrNot));
}

function answerSql(plan: PointInTimePlan, joined: readonly JoinedFeatures[]): string {
  const columns = plan.spine.columns.map(({ column }) => `s.${quoteIdentifier(column)} AS ${quoteIdentifier(column)}`);
  columns.push(`s.${spinePosition} AS ${spinePosition}`);
  const features: { readonly place: number; readonly sql: string }[] = [];
  const statuses: string[] = [];
  const joins: string[] = [];
  const addJoin = (table: string) => joins.push(`LEFT JOIN ${table} ON ${table}.${spinePosition} = s.${spinePosition}`);
  for (const { join, winners, missStatus } of joined) {
    for (const { table } of winners) addJoin(table);
    const values = join.features.map((_, index) => {
      const winner = winners.find(({ group }) => group.features.includes(index));
      return `${winner?.table ?? ''}.f${index}`;
    });
    for (const [index, value] of values.entries()) {
      const feature = join.features[index];
      const place = feature?.place ?? features.length;
      features.push({ place, sql: `${value} AS ${quoteIdentifier(feature?.alias ?? '')}` });
    }
    if (missStatus === null) continue;
    addJoin(missStatus);
    statuses.push(
      `CASE WHEN ${values.map((value) => `${value} IS NOT NULL`).join(' OR ')} THEN 'MATCHED'
        ELSE coalesce(${missStatus}.status, ${quoteText('NO_ENTITY')}) END AS ${quoteIdentifier(join.statusColumn)}`,
    );
  }
  features.sort((a, b) => a.place - b.place);
  return `SELECT ${[...columns, ...features.map(({ sql }) => sql), ...statuses].join(',\n  ')} FROM ${plan.spine.relation} s
    ${joins.join('\n    ')} ORDER BY s.${spinePosition} ASC`;
}
