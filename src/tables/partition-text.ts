import { parseDecimal, printDecimal } from '../iceberg/decimal.ts';
import { decimalParts, type Literal, type PrimitiveType } from '../iceberg/type.ts';

/**
 * Partition values travel through DuckDB as text without loss: dates as days, times and timestamps as their count of units, binary as
 * hex, the rest as SQL prints it.
 */
export function partitionTextSql(type: PrimitiveType, expression: string): string {
  switch (type) {
    case 'date':
      return `CAST(${expression} - DATE '1970-01-01' AS VARCHAR)`;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return `CAST(epoch_us(${expression}) AS VARCHAR)`;
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return `CAST(epoch_ns(${expression}) AS VARCHAR)`;
    case 'binary':
      return `hex(${expression})`;
    default:
      return type.startsWith('fixed') ? `hex(${expression})` : `CAST(${expression} AS VARCHAR)`;
  }
}

/** The value of such a text. */
export function parsePartitionText(type: PrimitiveType, text: string): Literal {
  switch (type) {
    case 'boolean':
      return text === 'true';
    case 'int':
    case 'date':
      return Number(text);
    case 'float':
    case 'double':
      return text === 'inf' ? Number.POSITIVE_INFINITY : text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return BigInt.asIntN(64, BigInt(text));
    case 'binary':
      return Uint8Array.from(Buffer.from(text, 'hex'));
    default: {
      const decimal = decimalParts(type);
      if (decimal !== null) return parseDecimal(text, decimal.precision, decimal.scale);
      return type.startsWith('fixed') ? Uint8Array.from(Buffer.from(text, 'hex')) : text;
    }
  }
}

/** The inverse of `parsePartitionText`. */
export function printPartitionText(type: PrimitiveType, value: Literal): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const decimal = decimalParts(type);
  return decimal === null ? String(value) : printDecimal(BigInt(value as bigint), decimal.scale);
}
