import { IcecoreError } from '../../errors.ts';
import { tiedEntitiesShownMax } from '../../limits.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import type { FeatureGroup } from './candidates.ts';
import { keyNames } from './feature-rows.ts';
import { type FeatureJoin, type PointInTimePlan, spinePosition } from './plan.ts';
import type { Scratch } from './scratch.ts';

/** The error for spine rows whose rows tie, or null where `ties` (a table of `tiesSql`) is empty. Names the first entities. */
export async function tieError(
  scratch: Scratch,
  plan: PointInTimePlan,
  join: FeatureJoin,
  group: FeatureGroup,
  ties: string,
  newestEvent: string,
): Promise<IcecoreError | null> {
  const keys = keyNames(join);
  const rows = await scratch.rows(
    `SELECT ${keys.map((key) => `${key}::VARCHAR`).join(', ')}, moment, ${group.features.map((index) => `bool_or(d${index})`).join(', ')}
      FROM (SELECT ${keys.map((key) => `n.${key}`).join(', ')}, s.${quoteIdentifier(plan.spine.eventTime.column)}::VARCHAR AS moment, t.*
        FROM ${ties} t JOIN ${newestEvent} n ON n.${spinePosition} = t.${spinePosition}
        JOIN ${plan.spine.relation} s ON s.${spinePosition} = t.${spinePosition})
      GROUP BY ${keys.join(', ')}, moment ORDER BY min(${spinePosition}) LIMIT ${tiedEntitiesShownMax}`,
  );
  if (rows.length === 0) return null;
  const entities = rows.map((row) => ({
    keys: Object.fromEntries(join.entityKeys.map(({ key }, index) => [key, String(row[index])])),
    at: String(row[keys.length]),
  }));
  const differing = group.features
    .filter((_, place) => rows.some((row) => row[keys.length + 1 + place] === true))
    .map((index) => join.features[index]?.column ?? '');
  const named = entities.map(
    ({ keys, at }) =>
      `(${Object.entries(keys)
        .map(([key, value]) => `${key} = ${value}`)
        .join(', ')}) at ${at}`,
  );
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `${join.table} has rows that are equal in their keys, event time${join.knownTime === null ? '' : ', known time'}${plan.options.onTie === 'ERROR' ? '' : ' and sequence'}, and differ in ${differing.join(', ')}: ${named.join('; ')}. ${cure(plan, join)}`,
    { context: { table: join.table, features: differing, entities } },
  );
}

function cure(plan: PointInTimePlan, join: FeatureJoin): string {
  if (join.sequence === null) {
    return 'Remove the rows that are wrong, or declare a sequence column on the feature table, make a new version of the feature set, and ask for onTie: LAST_BY_SEQUENCE.';
  }
  return plan.options.onTie === 'ERROR'
    ? `Remove the rows that are wrong, or ask for onTie: LAST_BY_SEQUENCE, which takes the greatest ${join.sequence.column}.`
    : `Remove the rows that are wrong, or give them different values of ${join.sequence.column}.`;
}
