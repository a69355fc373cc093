import type { Literal, PrimitiveType } from './type.ts';

const bigintTypes: ReadonlySet<string> = new Set(['long', 'time', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns']);
const numberTypes: ReadonlySet<string> = new Set(['int', 'date', 'float', 'double']);

/** A value as written under an older type of its column, in memory as the type of now has it: an int of a column that became long. */
export function castLiteral(type: PrimitiveType, value: Literal): Literal {
  if (typeof value === 'number' && (bigintTypes.has(type) || type.startsWith('decimal'))) return BigInt(value);
  if (typeof value === 'bigint' && numberTypes.has(type)) return Number(value);
  return value;
}
