import { IcecoreError } from '../errors.ts';

/** What Node 24 has and TypeScript's library does not describe yet: source text on the way in, raw text on the way out. */
interface SourceTextJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}
const sourceTextJson = JSON as unknown as SourceTextJson;

const integer = /^-?\d+$/;
/** No integer shorter than this leaves the exact range of a double; most documents hold none, and parse without a reviver. */
const longDigits = /\d{16}/;

/**
 * Gives the value of a JSON text. An integer beyond plus or minus 2^53 becomes a bigint, every other number a number.
 * Throws BAD_USER_INPUT where the text is no JSON.
 */
export function parseJson(text: string): unknown {
  try {
    if (!longDigits.test(text)) return JSON.parse(text);
    return sourceTextJson.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && integer.test(source)
        ? BigInt(source)
        : value,
    );
  } catch (cause) {
    // A RangeError is the reviver's recursion meeting nesting that no honest document has.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new IcecoreError('BAD_USER_INPUT', `The text is not valid JSON: ${reason}.`, { cause });
  }
}

/** Gives the JSON text of a value, bigints as bare integers. `indent` is the number of spaces a level, none by default. */
export function printJson(value: unknown, indent?: number): string {
  return JSON.stringify(
    value,
    (_key, item) => (typeof item === 'bigint' ? sourceTextJson.rawJSON(item.toString()) : item),
    indent,
  );
}
