import { printJson } from '../iceberg/json.ts';
import { printable } from './printable.ts';

const numeric = /^(int|long|float|double|decimal)\b/;

/** Whether values of an Iceberg type read best with their last digits below each other. */
export function isNumeric(type: string): boolean {
  return numeric.test(type);
}

/**
 * A value in the API's JSON forms as a cell: longs and decimals are texts already and stay exact; nested values are JSON. A float is
 * written as short as tells it from every other float.
 */
export function cellText(value: unknown, type: string): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return printable(value);
  if (typeof value === 'number') return type === 'float' ? floatText(value) : String(value);
  return printable(typeof value === 'object' ? printJson(value) : String(value));
}

/** Nine digits tell any two floats apart. */
const floatDigits = 9;

function floatText(value: number): string {
  for (let digits = 1; digits < floatDigits; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return String(short);
  }
  return String(Number(value.toPrecision(floatDigits)));
}
