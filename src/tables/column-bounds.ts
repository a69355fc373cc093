import { truncateLower, truncateLowerBytes, truncateUpper, truncateUpperBytes } from '../iceberg/file-metrics.ts';
import { encodeSingleValue } from '../iceberg/single-value.ts';
import type { Literal, PrimitiveType } from '../iceberg/type.ts';

export interface ColumnBounds {
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

/** The bounds of a column's values as manifests hold them: texts and bytes cut to a length, zero taken with the sign that keeps the bound true. */
export function columnBounds(type: PrimitiveType, min: Literal | null, max: Literal | null, length: number): ColumnBounds {
  return {
    lower: encode(type, min === null ? null : lowest(type, min, length)),
    upper: encode(type, max === null ? null : greatest(type, max, length)),
  };
}

/** Statistics do not tell -0.0 from 0.0, which Iceberg's order does. */
const isFloating = (type: PrimitiveType) => type === 'float' || type === 'double';

function lowest(type: PrimitiveType, value: Literal, length: number): Literal {
  if (type === 'string') return truncateLower(String(value), length);
  if (value instanceof Uint8Array) return truncateLowerBytes(value, length);
  return isFloating(type) && value === 0 ? -0 : value;
}

function greatest(type: PrimitiveType, value: Literal, length: number): Literal | null {
  if (type === 'string') return truncateUpper(String(value), length);
  if (value instanceof Uint8Array) return truncateUpperBytes(value, length);
  return isFloating(type) && value === 0 ? 0 : value;
}

function encode(type: PrimitiveType, value: Literal | null): Uint8Array | null {
  return value === null ? null : encodeSingleValue(type, value);
}
