import { quoteIdentifier } from '../../sql/quote.ts';
import { instantSql, instantUnit } from './instant.ts';
import { type FeatureJoin, type Spine, spinePosition } from './plan.ts';

/**
 * Inside the generated SQL every column has a name of our own, so that no table's names can collide: keys are `k0`, `k1` and
 * so on, features `f0`, `f1` and so on by their place in the join, times `event`, `known` and `ts`.
 */
export function keyNames(join: FeatureJoin): readonly string[] {
  return join.entityKeys.map((_, index) => `k${index}`);
}

export function keysEqualSql(join: FeatureJoin, left: string, right: string): string {
  return keyNames(join)
    .map((key) => `${left}.${key} = ${right}.${key}`)
    .join(' AND ');
}

/** The spine rows that can match at all: every key and the time are there. */
export function probeRowsSql(spine: Spine, join: FeatureJoin): string {
  const time = quoteIdentifier(spine.eventTime.column);
  const keys = join.entityKeys.map((key, index) => `${quoteIdentifier(key.spineColumn)} AS k${index}`);
  const present = [...join.entityKeys.map((key) => key.spineColumn), spine.eventTime.column];
  return `(SELECT ${spinePosition}, ${keys.join(', ')}, ${instantSql(time, spine.eventTime.type, instantUnit(spine, join))} AS ts
    FROM ${spine.relation} WHERE ${present.map((column) => `${quoteIdentifier(column)} IS NOT NULL`).join(' AND ')})`;
}

/** What of a feature row a step needs besides its keys and its event time. */
export interface FeatureRowColumns {
  readonly known?: boolean;
  readonly sequence?: boolean;
  /** Places of features in the join. */
  readonly features?: readonly number[];
  /** Only rows where this feature has a value. */
  readonly having?: number | undefined;
}

/** The rows of a feature table that some spine row could match: every key and the event time are there. */
export function featureRowsSql(spine: Spine, join: FeatureJoin, columns: FeatureRowColumns): string {
  const unit = instantUnit(spine, join);
  const selected = join.entityKeys.map((key, index) => `${quoteIdentifier(key.key)} AS k${index}`);
  selected.push(`${instantSql(quoteIdentifier(join.eventTime.column), join.eventTime.type, unit)} AS event`);
  if (columns.known === true) {
    const known = join.knownTime;
    selected.push(`${known === null ? 'NULL::BIGINT' : instantSql(quoteIdentifier(known.column), known.type, unit)} AS known`);
  }
  if (columns.sequence === true) {
    selected.push(`${join.sequence === null ? 'NULL::BIGINT' : quoteIdentifier(join.sequence.column)} AS sequence`);
  }
  const present = [...join.entityKeys.map((key) => key.key), join.eventTime.column];
  for (const [index, feature] of join.features.entries()) {
    if (columns.features?.includes(index) === true) selected.push(`${quoteIdentifier(feature.column)} AS f${index}`);
    if (columns.having === index) present.push(feature.column);
  }
  const where = present.map((column) => `${quoteIdentifier(column)} IS NOT NULL`).join(' AND ');
  return `(SELECT ${selected.join(', ')} FROM ${join.relation} WHERE ${where})`;
}
