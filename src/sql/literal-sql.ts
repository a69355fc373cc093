import { printTime } from '../iceberg/calendar.ts';
import { printDecimal } from '../iceberg/decimal.ts';
import type { Literal, PrimitiveType } from '../iceberg/type.ts';
import { decimalParts } from '../iceberg/type.ts';
import { duckDbTypeText } from './duckdb-type.ts';
import { quoteText } from './quote.ts';

/** A literal of a type as a SQL expression of exactly that type. Integers become dates and instants without passing text. */
export function literalSql(type: PrimitiveType, literal: Literal): string {
  if (literal instanceof Uint8Array) return `from_hex('${Buffer.from(literal).toString('hex')}')`;
  if (typeof literal === 'boolean') return String(literal);
  const decimal = decimalParts(type);
  if (decimal !== null) return `CAST('${printDecimal(BigInt(literal), decimal.scale)}' AS ${duckDbTypeText(type)})`;
  switch (type) {
    case 'string':
      return quoteText(String(literal));
    case 'date':
      return `make_date(${literal}::INTEGER)`;
    case 'time':
      return `TIME '${printTime(BigInt(literal))}'`;
    case 'timestamp':
      return `make_timestamp(${bigint(literal)})`;
    case 'timestamptz':
      return `make_timestamptz(${bigint(literal)})`;
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return `make_timestamp_ns(${bigint(literal)})`;
    default:
      // Numbers and uuids. A cast from text, so that no digit and no sign is read in another type first.
      return `CAST('${literal}' AS ${duckDbTypeText(type)})`;
  }
}

function bigint(literal: Literal): string {
  return `CAST('${literal}' AS BIGINT)`;
}
