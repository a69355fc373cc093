import { IcecoreError } from '../errors.ts';
import { isInstantType } from '../features/point-in-time/instant.ts';
import type { TypedColumn } from '../features/point-in-time/plan.ts';
import type { Split, TimeSplit } from './training-set.ts';

/** Shares by a hash of columns, so that an entity is in one split only (docs/split.md). */
export type HashSplit = Extract<Split, { kind: 'HASH' }>;

/** The column that a split adds to a training set. */
export const splitColumn = 'split';

/** Shares may miss 1 by as much as adding decimal fractions in binary does. */
const shareSumTolerance = 1e-9;

/**
 * Throws BAD_USER_INPUT where a split makes no sense of rows with these columns: a name that `split` would take twice, a column
 * that is missing or cannot be hashed, shares that do not add up to 1, windows that are empty or overlap.
 */
export function validateSplit(split: Split, columns: readonly TypedColumn[]): void {
  if (columns.some(({ column }) => column.toLowerCase() === splitColumn)) {
    throw refusal(
      `The rows already have a column ${splitColumn}, so a split cannot add it. Rename that column, or give the feature an alias.`,
    );
  }
  if (split.kind === 'HASH') validateHashSplit(split, columns);
  else validateWindows(split.windows);
}

function refusal(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}

function validateHashSplit(split: HashSplit, columns: readonly TypedColumn[]): void {
  if (split.columns.length === 0)
    throw refusal('A split by hash needs the columns to hash, such as the entity keys. Name at least one.');
  for (const name of split.columns) {
    const found = columns.find(({ column }) => column === name);
    if (found === undefined) {
      throw refusal(`There is no column ${name} to split by. There are ${columns.map(({ column }) => column).join(', ')}.`);
    }
    if (!isHashable(found))
      throw refusal(`${name} is of a type that a split cannot hash. Use keys, text, whole numbers or times.`);
  }
  if (split.shares.length === 0) throw refusal('A split by hash needs shares, such as train 0.8 and test 0.2.');
  const names = new Set<string>();
  for (const { name, share } of split.shares) {
    if (name === '') throw refusal('A share of a split has no name.');
    if (names.has(name)) throw refusal(`The split names ${name} twice. Add its shares up.`);
    names.add(name);
    if (!(share > 0 && share <= 1)) throw refusal(`The share of ${name} is ${share}. It must be more than 0 and at most 1.`);
  }
  const sum = split.shares.reduce((total, { share }) => total + share, 0);
  if (Math.abs(sum - 1) > shareSumTolerance) throw refusal(`The shares of the split add up to ${sum}. They must add up to 1.`);
}

function isHashable({ type }: TypedColumn): boolean {
  if (isInstantType(type)) return true;
  if (typeof type !== 'string') return false;
  return ['boolean', 'int', 'long', 'string', 'uuid', 'binary'].includes(type) || /^(decimal|fixed)/.test(type);
}

function validateWindows(windows: readonly TimeSplit[]): void {
  if (windows.length === 0) throw refusal('A split by time needs at least one window.');
  for (const { name, fromMicros, toMicros } of windows) {
    if (name === '') throw refusal('A window of the split has no name.');
    if (fromMicros !== null && toMicros !== null && fromMicros >= toMicros) {
      throw refusal(`The window ${name} of the split ends where it begins, or before. Its end is exclusive and must be later.`);
    }
  }
  const ordered = [...windows].sort((a, b) => (startsBefore(a, b) ? -1 : startsBefore(b, a) ? 1 : 0));
  for (const [index, next] of ordered.entries()) {
    const before = ordered[index - 1];
    if (before === undefined) continue;
    if (before.toMicros === null || next.fromMicros === null || before.toMicros > next.fromMicros) {
      throw refusal(`The windows ${before.name} and ${next.name} of the split overlap. End one where the other begins.`);
    }
  }
}

function startsBefore(a: TimeSplit, b: TimeSplit): boolean {
  if (b.fromMicros === null) return false;
  return a.fromMicros === null || a.fromMicros < b.fromMicros;
}
