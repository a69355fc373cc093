import { IcecoreError } from '../../errors.ts';
import { feedBatchRowsMax, feedLanesMax, feedWorldSizeMax } from '../../limits.ts';
import type { FlagDefinition, Flags } from '../flags.ts';
import { printable } from '../printable.ts';

/** `TrainingFeedInput` of the API; what is left out takes its default there, or what a cursor says. */
export type FeedQuery = Readonly<Record<string, unknown>>;

const intMax = 2 ** 31 - 1;
const wholeNumbers: readonly (readonly [flag: string, member: string, min: number, max: number, help: string])[] = [
  ['batch-size', 'batchSize', 1, feedBatchRowsMax, 'rows of a batch; 65,536 where left out'],
  ['epoch', 'epoch', 0, intMax, 'another epoch has another order; 0 where left out'],
  ['lanes', 'lanes', 1, feedLanesMax, 'a power of two; 8 where left out'],
  ['rank', 'rank', 0, feedWorldSizeMax - 1, 'which share, from 0'],
  ['world-size', 'worldSize', 1, feedWorldSizeMax, 'how many share the rows; 1 where left out'],
];
const choices: readonly (readonly [flag: string, values: readonly string[], help: string])[] = [
  ['shuffle', ['none', 'windowed', 'full'], 'windowed where left out'],
  ['tail', ['short', 'drop'], 'what becomes of rows that fill no batch; short where left out'],
];

/** Flags that say which rows come, in which order. */
export const queryFlags: readonly FlagDefinition[] = [
  { name: 'training-set', value: 'NAME', help: 'what to read, in its newest version; or' },
  { name: 'table', value: 'NAME', help: 'a table: raw.flights, raw.flights@3462371817066914511, raw.flights@main' },
  { name: 'version', value: 'N', help: 'of the training set' },
  { name: 'columns', value: 'A,B,…', help: 'all where left out' },
  { name: 'where', value: 'TEXT', help: "comparisons, IN, IS NULL, LIKE 'prefix%', AND, OR, NOT" },
  { name: 'split', value: 'NAME', help: 'of a training set that has them' },
  ...choices.map(([name, values, help]) => ({ name, value: values.join('|'), help })),
  { name: 'seed', value: 'N', help: '0 where left out' },
  ...wholeNumbers.map(([name, , , , help]) => ({ name, value: 'N', help })),
  { name: 'cursor', value: 'CURSOR', help: 'goes on where a batch that carried it ended' },
];

/** Null where no flag of those was given. Throws BAD_USER_INPUT for what no feed can be asked for. */
export function feedQuery(flags: Flags): FeedQuery | null {
  if (!queryFlags.some(({ name }) => flags.has(name))) return null;
  return {
    source: sourceOf(flags),
    ...given('columns', listOf(flags)),
    ...given('where', flags.value('where')),
    ...given('split', flags.value('split')),
    ...Object.assign({}, ...choices.map(([name, values]) => given(name, choiceFlag(flags, name, values)))),
    ...given('seed', seedOf(flags)),
    ...Object.assign({}, ...wholeNumbers.map(([name, member, min, max]) => given(member, wholeNumber(flags, name, min, max)))),
    ...given('cursor', flags.value('cursor')),
  };
}

/** In the API's capitals; null where the flag was not given. Throws BAD_USER_INPUT for a word that is none of them. */
export function choiceFlag(flags: Flags, name: string, values: readonly string[]): string | null {
  const text = flags.value(name);
  if (text === null) return null;
  if (values.includes(text.toLowerCase())) return text.toUpperCase();
  throw refused(`--${name} takes ${values.slice(0, -1).join(', ')} or ${values.at(-1)}, not "${printable(text)}".`);
}

function sourceOf(flags: Flags): unknown {
  const [trainingSet, table, version] = [flags.value('training-set'), flags.value('table'), flags.value('version')];
  if ((trainingSet === null) === (table === null)) throw refused('Give either --training-set or --table.');
  if (table === null) {
    return { trainingSet: { name: trainingSet, ...given('version', wholeNumber(flags, 'version', 1, intMax)) } };
  }
  if (version !== null) {
    throw refused(
      `--version is of a training set; a table's snapshot is named behind an @, as in --table ${printable(table)}@main.`,
    );
  }
  const at = table.lastIndexOf('@');
  if (at < 0) return { table: { name: table } };
  const moment = table.slice(at + 1);
  return { table: { name: table.slice(0, at), asOf: /^\d+$/.test(moment) ? { snapshotId: moment } : { ref: moment } } };
}

/** Names apart by commas; one that holds a comma, or blanks at its ends, is in double quotes, as in SQL. */
function listOf(flags: Flags): readonly string[] | null {
  const text = flags.value('columns');
  if (text === null) return null;
  const names: string[] = [];
  const name = /\s*(?:"((?:[^"]|"")*)"|([^",]+?))\s*(?:,|$)/y;
  while (name.lastIndex < text.length) {
    const match = name.exec(text);
    if (match === null) throw refused(`--columns takes names apart by commas, not "${printable(text)}".`);
    names.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  }
  return names;
}

/** As a text: a long goes through no double. */
function seedOf(flags: Flags): string | null {
  const text = flags.value('seed');
  if (text === null || (/^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text))) return text;
  throw refused(`--seed takes a whole number of at most 64 bits, not "${printable(text)}".`);
}

function wholeNumber(flags: Flags, name: string, min: number, max: number): number | null {
  const text = flags.value(name);
  if (text === null) return null;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw refused(`--${name} takes a whole number from ${min} to ${max}, not "${printable(text)}".`);
}

function given(member: string, value: unknown): FeedQuery {
  return value === null ? {} : { [member]: value };
}

function refused(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}
