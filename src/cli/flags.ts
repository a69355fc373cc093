import { parseArgs } from 'node:util';
import { IcecoreError } from '../errors.ts';

/** What a command takes besides its words: by name, with a value or without. */
export interface FlagDefinition {
  readonly name: string;
  /** How the help calls its value; left out for a flag without one. */
  readonly value?: string;
  readonly isRepeatable?: boolean;
  readonly help: string;
}

export interface Flags {
  readonly words: readonly string[];
  /** The last value given; null where there is none. */
  value(name: string): string | null;
  values(name: string): readonly string[];
  has(name: string): boolean;
}

/** Throws BAD_USER_INPUT for a flag that there is not, one without its value or with one it does not take, and a second one of its kind. */
export function parseFlags(args: readonly string[], definitions: readonly FlagDefinition[]): Flags {
  const options = Object.fromEntries(
    definitions.map(({ name, value }) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: true },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true, allowPositionals: true });
  const words: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const definition = definitions.find(({ name }) => name === token.name);
    if (definition === undefined || token.rawName !== `--${token.name}`) throw unknownFlag(token.rawName, definitions);
    const values = given.get(token.name) ?? [];
    if (values.length > 0 && definition.isRepeatable !== true) throw refused(`--${token.name} is given twice.`);
    given.set(token.name, [...values, flagValue(definition, token.value)]);
  }
  return {
    words,
    value: (name) => given.get(name)?.at(-1) ?? null,
    values: (name) => given.get(name) ?? [],
    has: (name) => given.has(name),
  };
}

function flagValue({ name, value }: FlagDefinition, given: string | undefined): string {
  if (value === undefined) {
    if (given !== undefined) throw refused(`--${name} takes no value.`);
    return '';
  }
  if (given === undefined || given === '') throw refused(`--${name} needs a value: --${name} ${value}.`);
  return given;
}

/** A whole number from `min` to `max`; `otherwise` where the flag was not given. Throws BAD_USER_INPUT. */
export function wholeNumberFlag(
  flags: Flags,
  name: string,
  { min, max, otherwise }: { readonly min: number; readonly max: number; readonly otherwise: number },
): number {
  const text = flags.value(name);
  if (text === null) return otherwise;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw refused(`--${name} takes a whole number from ${min} to ${max}, not "${text}".`);
}

function unknownFlag(given: string, definitions: readonly FlagDefinition[]): IcecoreError {
  return refused(`There is no flag ${given}; there is: ${definitions.map(({ name }) => `--${name}`).join(', ')}.`);
}

function refused(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}
