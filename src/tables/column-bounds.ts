import { encodeSingleValue } from '../iceberg/single-value.ts';
import type { Literal, PrimitiveType } from '../iceberg/type.ts';

export interface ColumnBounds {
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

/** The bounds of a column's values as manifests hold them: texts cut, zero taken with the sign that keeps the bound true. */
export function columnBounds(type: PrimitiveType, min: Literal | null, max: Literal | null): ColumnBounds {
  return { lower: encode(type, min, -0), upper: encode(type, max, 0) };
}

function encode(type: PrimitiveType, value: Literal | null, zero: number): Uint8Array | null {
  if (value === null) return null;
  // Statistics do not tell -0.0 from 0.0, which Iceberg's order does.
  return encodeSingleValue(type, value === 0 && (type === 'float' || type === 'double') ? zero : value);
}
