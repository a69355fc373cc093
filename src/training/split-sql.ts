import { instantSql } from '../features/point-in-time/instant.ts';
import type { TypedColumn } from '../features/point-in-time/plan.ts';
import type { Type } from '../iceberg/type.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { type HashSplit, validateSplit } from './split.ts';
import type { Split, TimeSplit } from './training-set.ts';

/** 13 hexadecimal digits: as many as a double holds exactly. */
const hashDigits = 13;
const hashRange = 2n ** BigInt(4 * hashDigits);

/**
 * A DuckDB expression of the split's name for each row, null for a row in no window (docs/split.md). `columns` are the rows'
 * columns, `eventTime` the one that windows are of. Throws what `validateSplit` throws.
 */
export function splitSql(split: Split, columns: readonly TypedColumn[], eventTime: TypedColumn): string {
  validateSplit(split, columns);
  return split.kind === 'HASH' ? hashSplitSql(split, columns) : timeSplitSql(split.windows, eventTime);
}

function hashSplitSql(split: HashSplit, columns: readonly TypedColumn[]): string {
  const parts = split.columns.map((name) => {
    const type = columns.find(({ column }) => column === name)?.type ?? 'unknown';
    const [kind, text] = hashedText(quoteIdentifier(name), type);
    return `coalesce('${kind}' || strlen(${text}) || ':' || ${text}, '-')`;
  });
  const hashed = [quoteText('icecore-split/1'), quoteText(split.seed.toString()), ...parts].join(' || chr(10) || ');
  const position = `('0x' || left(sha256(${hashed}), ${hashDigits}))::BIGINT`;
  let sum = 0;
  const branches = split.shares.map(({ name, share }, index) => {
    sum += share;
    // The last share takes what rounding leaves over: every row is in a split.
    if (index === split.shares.length - 1) return `ELSE ${quoteText(name)}`;
    return `WHEN ${position} < ${BigInt(Math.round(Math.min(sum, 1) * Number(hashRange)))} THEN ${quoteText(name)}`;
  });
  return branches.length === 1 ? quoteText(split.shares[0]?.name ?? '') : `CASE ${branches.join(' ')} END`;
}

/** A letter for the kind of value, and its text: equal for equal values of an int and a long, of a date and its midnight. */
function hashedText(expression: string, type: Type): readonly [string, string] {
  switch (type) {
    case 'boolean':
      return ['b', `${expression}::VARCHAR`];
    case 'int':
    case 'long':
      return ['i', `${expression}::VARCHAR`];
    case 'string':
      return ['s', expression];
    case 'uuid':
      return ['u', `${expression}::VARCHAR`];
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return ['t', `(${instantSql(expression, type, 'nanos')})::VARCHAR`];
    default:
      return typeof type === 'string' && type.startsWith('decimal')
        ? ['n', `${expression}::VARCHAR`]
        : ['x', `lower(hex(${expression}))`];
  }
}

function timeSplitSql(windows: readonly TimeSplit[], eventTime: TypedColumn): string {
  const instant = `(${instantSql(quoteIdentifier(eventTime.column), eventTime.type, 'nanos')})`;
  const branches = windows.map(({ name, fromMicros, toMicros }) => {
    const conditions = [`${instant} IS NOT NULL`];
    if (fromMicros !== null) conditions.push(`${instant} >= ${fromMicros * 1000n}::HUGEINT`);
    if (toMicros !== null) conditions.push(`${instant} < ${toMicros * 1000n}::HUGEINT`);
    return `WHEN ${conditions.join(' AND ')} THEN ${quoteText(name)}`;
  });
  return `CASE ${branches.join(' ')} END`;
}
