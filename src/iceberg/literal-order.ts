import type { Literal } from './type.ts';

/**
 * Below, at or above zero as `left` comes before, with or after `right`, both of one type (spec: "Sorting"). Text goes by
 * code points, as its UTF-8 bytes do, and not by JavaScript's UTF-16 units; bytes are unsigned. -0.0 equals 0.0 here, as in a
 * predicate. NaN has no place in an order of bounds: whoever compares looks for it first.
 */
export function compareLiterals(left: Literal, right: Literal): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return pointOrder(a) - pointOrder(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above all others: they go behind U+E000 to U+FFFF. */
function pointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

export function isNanLiteral(value: Literal): boolean {
  return typeof value === 'number' && Number.isNaN(value);
}
