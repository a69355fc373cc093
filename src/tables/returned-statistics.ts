import { parseDate, parseTime, parseTimestamp } from '../iceberg/calendar.ts';
import { parseDecimal } from '../iceberg/decimal.ts';
import { decimalParts, type Literal, type PrimitiveType } from '../iceberg/type.ts';

/** What DuckDB's RETURN_STATS says of one leaf column of one file; texts as it prints them. */
export interface ReturnedColumn {
  readonly columnSizeBytes: bigint;
  readonly valueCount: bigint;
  readonly nullCount: bigint;
  /** Undefined for columns that hold no floating-point numbers. */
  readonly hasNan: boolean | undefined;
  readonly min: string | undefined;
  readonly max: string | undefined;
}

export interface ReturnedFile {
  readonly path: string;
  readonly rowCount: bigint;
  readonly sizeBytes: bigint;
  readonly columns: ReadonlyMap<string, ReturnedColumn>;
  /** By the name of the partition column; null where the value is. */
  readonly partitionKeys: ReadonlyMap<string, string | null>;
}

/** The query that turns what COPY … RETURN_STATS would print into rows is COPY itself: its JSON rows are read here. */
export function readReturnedFile(row: Readonly<Record<string, unknown>>): ReturnedFile {
  const columns = pairs(row.column_statistics).map(([path, value]): [string, ReturnedColumn] => {
    const statistics = new Map(pairs(value));
    const text = (key: string) => {
      const found = statistics.get(key);
      return typeof found === 'string' ? found : undefined;
    };
    const hasNan = text('has_nan');
    return [
      path,
      {
        columnSizeBytes: BigInt(text('column_size_bytes') ?? 0),
        valueCount: BigInt(text('num_values') ?? 0),
        nullCount: BigInt(text('null_count') ?? 0),
        hasNan: hasNan === undefined ? undefined : hasNan !== 'false',
        min: text('min'),
        max: text('max'),
      },
    ];
  });
  return {
    path: String(row.filename),
    rowCount: BigInt(String(row.count)),
    sizeBytes: BigInt(String(row.file_size_bytes)),
    columns: new Map(columns),
    partitionKeys: new Map(pairs(row.partition_keys).map(([key, value]) => [key, value === null ? null : String(value)])),
  };
}

/** DuckDB prints a map as a list of {key, value}. */
function pairs(value: unknown): readonly (readonly [string, unknown])[] {
  if (!Array.isArray(value)) return [];
  return value.map((pair: { readonly key: unknown; readonly value: unknown }) => [String(pair.key), pair.value] as const);
}

/** The value of a minimum or maximum, or null where the text holds none that a bound can hold, such as an infinite date. */
export function parseReturnedBound(type: PrimitiveType, text: string): Literal | null {
  try {
    switch (type) {
      case 'boolean':
        return text === '1' || text === 'true';
      case 'int':
        return Number(text);
      case 'long':
        return BigInt(text);
      case 'float':
      case 'double':
        return parseFloating(text);
      case 'date':
        return parseDate(text);
      case 'time':
        return parseTime(text);
      case 'timestamp':
        return parseTimestamp(text, 'micros', false);
      case 'timestamp_ns':
        return parseTimestamp(text, 'nanos', false);
      case 'timestamptz':
        return parseTimestamp(withMinutes(text), 'micros', true);
      case 'timestamptz_ns':
        return parseTimestamp(withMinutes(text), 'nanos', true);
      case 'string':
      case 'uuid':
        return text;
      case 'unknown':
        return null;
      default: {
        const decimal = decimalParts(type);
        if (decimal !== null) return parseDecimal(text, decimal.precision, decimal.scale);
        return /^([0-9a-f]{2})*$/i.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : null;
      }
    }
  } catch {
    // Before the common era, beyond the calendar, infinite: a file without a bound is read, never missed.
    return null;
  }
}

function parseFloating(text: string): number | null {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  const value = Number(text);
  return Number.isNaN(value) ? null : value;
}

/** `+00` is printed for `+00:00`. */
function withMinutes(text: string): string {
  return text.replace(/([+-]\d\d)$/, '$1:00');
}
