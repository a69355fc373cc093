import { IcecoreError } from '../../errors.ts';
import type { Type } from '../../iceberg/type.ts';
import { isInstantType } from './instant.ts';
import { type FeatureJoin, type PointInTimePlan, type Spine, spinePosition } from './plan.ts';

/**
 * Throws BAD_USER_INPUT where a plan cannot be carried out as the rule says (semantics, section 1): a column that the spine
 * lacks, times that are none, keys of types that cannot be equal, a table without known time under KNOWN_AT_EVENT, a label
 * that decides about features, a name that comes out twice.
 */
export function validatePointInTime(plan: PointInTimePlan): void {
  const { spine, joins, options } = plan;
  if (joins.length === 0) throw refusal('A point-in-time join needs at least one feature. Name one.');
  requireSpineColumn(spine, spine.eventTime.column, 'the event time');
  requireInstant(spine.eventTime.type, `${spine.eventTime.column}, the event time of the spine,`);
  for (const label of spine.labels) requireSpineColumn(spine, label, 'a label');
  for (const join of joins) {
    if (join.features.length === 0) throw refusal(`No feature is taken from ${join.table}. Name one, or leave the table out.`);
    if (options.knowledge === 'KNOWN_AT_EVENT' && join.knownTime === null) {
      throw refusal(
        `${join.table} declares no known time, so KNOWN_AT_EVENT cannot say what was known when. Declare its knownTime, or ask for knowledge: IGNORE.`,
      );
    }
    validateTimes(join);
    validateKeys(spine, join);
  }
  validateNames(plan);
}

function refusal(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}

function requireSpineColumn(spine: Spine, column: string, what: string): Type {
  const found = spine.columns.find((candidate) => candidate.column === column);
  if (found !== undefined) return found.type;
  const names = spine.columns.map((candidate) => candidate.column).join(', ');
  throw refusal(`The spine has no column ${column}, which is named as ${what}. It has ${names}.`);
}

function requireInstant(type: Type, what: string): void {
  if (isInstantType(type)) return;
  throw refusal(`${what} is of type ${typeName(type)}. A date or a timestamp is needed; cast it.`);
}

function validateTimes(join: FeatureJoin): void {
  requireInstant(join.eventTime.type, `${join.eventTime.column}, the event time of ${join.table},`);
  if (join.knownTime !== null) requireInstant(join.knownTime.type, `${join.knownTime.column}, the known time of ${join.table},`);
  if (join.sequence !== null && typeof join.sequence.type !== 'string') {
    throw refusal(`${join.sequence.column}, the sequence of ${join.table}, is a ${join.sequence.type.kind}, which has no order.`);
  }
  if (join.timeToLiveMicros !== null && join.timeToLiveMicros < 0n) {
    throw refusal(`The time to live of ${join.table} is ${join.timeToLiveMicros} microseconds. It cannot be negative.`);
  }
}

function validateKeys(spine: Spine, join: FeatureJoin): void {
  if (join.entityKeys.length === 0) throw refusal(`${join.table} has no entity keys, so no spine row could match. Declare them.`);
  for (const { key, type, spineColumn } of join.entityKeys) {
    const spineType = requireSpineColumn(spine, spineColumn, `the entity key ${key} of ${join.table}`);
    if (spine.labels.includes(spineColumn)) {
      throw refusal(
        `${spineColumn} is a label, so it cannot be the entity key ${key} of ${join.table}: features would follow from it.`,
      );
    }
    const family = keyFamily(type);
    if (family === null)
      throw refusal(`${key} of ${join.table} is of type ${typeName(type)}, which cannot be an entity key. Cast it.`);
    if (family === keyFamily(spineType)) continue;
    throw refusal(
      `The entity key ${key} of ${join.table} is of type ${typeName(type)}, the spine's ${spineColumn} of type ${typeName(spineType)}: they cannot be equal. Cast the spine's column, or map the key to another.`,
    );
  }
}

/** Types of one family compare by value. Floating point, where NaN and -0 make equality a matter of taste, and nested types have none. */
function keyFamily(type: Type): string | null {
  if (typeof type !== 'string' || type === 'float' || type === 'double' || type === 'unknown') return null;
  if (type === 'int' || type === 'long') return 'integer';
  if (type.startsWith('decimal')) return 'decimal';
  if (type === 'binary' || type.startsWith('fixed')) return 'binary';
  return type;
}

function typeName(type: Type): string {
  return typeof type === 'string' ? type : type.kind;
}

/** Names differ in more than their case, since SQL engines read `Delay` and `delay` as one. */
function validateNames(plan: PointInTimePlan): void {
  const taken = new Map<string, string>([[spinePosition, 'the position of the spine row']]);
  const take = (name: string, what: string, cure: string) => {
    const before = taken.get(name.toLowerCase());
    if (before !== undefined) throw refusal(`${name} would occur twice: as ${before} and as ${what}. ${cure}`);
    taken.set(name.toLowerCase(), what);
  };
  for (const { column } of plan.spine.columns) {
    const what = plan.spine.labels.includes(column) ? `the label ${column}` : `the spine's column ${column}`;
    take(column, what, 'Rename the column in the spine.');
  }
  for (const join of plan.joins) {
    for (const { alias, column } of join.features)
      take(alias, `the feature ${column} of ${join.table}`, 'Give the feature an alias.');
  }
  if (!plan.options.matchStatus) return;
  for (const join of plan.joins)
    take(join.statusColumn, `the status of ${join.table}`, 'Give the features of one of them an alias.');
}
