import {
  boundLengthDefault,
  truncateLower,
  truncateLowerBytes,
  truncateUpper,
  truncateUpperBytes,
} from '../iceberg/file-metrics.ts';
import { encodeSingleValue } from '../iceberg/single-value.ts';
import type { Literal, PrimitiveType } from '../iceberg/type.ts';

export interface ColumnBounds {
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

/** The bounds of a column's values as manifests hold them: texts cut, zero taken with the sign that keeps the bound true. */
export function columnBounds(type: PrimitiveType, min: Literal | null, max: Literal | null): ColumnBounds {
  return {
    lower: encode(type, min === null ? null : lowest(type, min)),
    upper: encode(type, max === null ? null : greatest(type, max)),
  };
}

/** Statistics do not tell -0.0 from 0.0, which Iceberg's order does. */
const isFloating = (type: PrimitiveType) => type === 'float' || type === 'double';

function lowest(type: PrimitiveType, value: Literal): Literal {
  if (type === 'string') return truncateLower(String(value), boundLengthDefault);
  if (value instanceof Uint8Array) return truncateLowerBytes(value, boundLengthDefault);
  return isFloating(type) && value === 0 ? -0 : value;
}

function greatest(type: PrimitiveType, value: Literal): Literal | null {
  if (type === 'string') return truncateUpper(String(value), boundLengthDefault);
  if (value instanceof Uint8Array) return truncateUpperBytes(value, boundLengthDefault);
  return isFloating(type) && value === 0 ? 0 : value;
}

function encode(type: PrimitiveType, value: Literal | null): Uint8Array | null {
  return value === null ? null : encodeSingleValue(type, value);
}
