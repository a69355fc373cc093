import type { Command } from './command.ts';
import { textWidth } from './text-width.ts';

/** Two columns, the first as wide as its widest entry. */
function paired(pairs: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...pairs.map(([left]) => textWidth(left)));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** What `icecore help` says. `others` are commands that are not of this folder. */
export function overview(commands: readonly Pick<Command, 'name' | 'summary'>[]): string {
  return [
    'Icecore: a machine learning lakehouse on Apache Iceberg tables.',
    '',
    ...paired([...commands.map(({ name, summary }) => [`icecore ${name}`, summary] as const), ['icecore help', 'this']]),
    '',
    'icecore COMMAND --help says more of one.',
    '',
  ].join('\n');
}

/** What `icecore COMMAND --help` says. */
export function commandHelp({ summary, usage, details, flags }: Omit<Command, 'name' | 'prepare'>): string {
  const flagLines = paired([
    ...flags.map(({ name, value, help }) => [value === undefined ? `--${name}` : `--${name} ${value}`, help] as const),
    ['--help', 'this'],
  ]);
  const paragraphs = details.flatMap((paragraph) => ['', paragraph]);
  return [
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    '',
    ...usage.map((line) => `  ${line}`),
    ...paragraphs,
    '',
    ...flagLines,
    '',
  ].join('\n');
}
