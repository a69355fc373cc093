/** How many code points, or bytes, of a value a bound keeps unless a table says otherwise (`truncate(16)` in Iceberg's own writers). */
export const boundLengthDefault = 16;

const greatestCodePoint = 0x10ffff;

/** The first `length` code points: not above the text itself, as a lower bound must be. A cut by UTF-16 units could split one. */
export function truncateLower(text: string, length: number): string {
  return text.length <= length ? text : firstPoints(text, length).join('');
}

/** As few code units as hold so many code points are looked at, however long the text. */
function firstPoints(text: string, length: number): string[] {
  return Array.from(text.slice(0, length * 2)).slice(0, length);
}

/**
 * The shortest text of at most `length` code points that is not below the given one: cut, the last code point that can be
 * raised is, and what follows it left out. Null where none can be, so that there is no bound.
 */
export function truncateUpper(text: string, length: number): string | null {
  const points = firstPoints(text, length);
  if (points.join('') === text) return text;
  for (let index = points.length - 1; index >= 0; index--) {
    const point = points[index]?.codePointAt(0) ?? greatestCodePoint;
    if (point === greatestCodePoint) continue;
    // Surrogates are no code points: U+D7FF is followed by U+E000.
    const next = point === 0xd7ff ? 0xe000 : point + 1;
    return points.slice(0, index).join('') + String.fromCodePoint(next);
  }
  return null;
}

/** The first bytes of a value. */
export function truncateLowerBytes(bytes: Uint8Array, length: number): Uint8Array {
  return bytes.slice(0, length);
}

/** The shortest bytes, at most `length`, that are not below the given ones; null where there are none. */
export function truncateUpperBytes(bytes: Uint8Array, length: number): Uint8Array | null {
  if (bytes.length <= length) return bytes;
  for (let index = length - 1; index >= 0; index--) {
    const byte = bytes[index] ?? 0xff;
    if (byte !== 0xff) return Uint8Array.of(...bytes.subarray(0, index), byte + 1);
  }
  return null;
}
