import { decimalParts, fixedLength, type PrimitiveType } from '../iceberg/type.ts';
import { FixedValues } from './fixed-values.ts';
import type { Annotation } from './format.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged, unsupported } from './parquet-error.ts';
import type { Leaf } from './schema-node.ts';
import { packBits } from './validity-bits.ts';
import { VariableValues } from './variable-values.ts';

/** Where an Arrow column lies in memory: its cells, and for texts where each begins. */
export interface ArrowCells {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly valueOffsets?: Int32Array<ArrayBuffer>;
}

/** Turns what a file has into what the table's column wants. The bytes that come in may be those that go out. */
export type Conversion = (values: FixedValues | VariableValues) => ArrowCells;

/**
 * How values of a leaf become cells of an Iceberg type (spec: Appendix A, "Parquet"; "Schema Evolution" for what was widened since the file
 * was written). Throws FAILED_PRECONDITION where they do not.
 */
export function conversionOf(type: PrimitiveType, { physical, length }: Leaf, annotation: Annotation | null): Conversion {
  const kind = annotation?.kind ?? 'none';
  const key = `${type.replace(/[([].*/, '')} ${physical}`;
  const decimal = decimalParts(type);
  if (decimal !== null && annotation?.kind === 'decimal') {
    if (annotation.scale === decimal.scale && annotation.precision <= decimal.precision) {
      if (physical === 'INT32') return fixed((values) => widened(values, 4, true));
      if (physical === 'INT64') return fixed(pairsToDecimals);
      if (physical === 'FIXED_LEN_BYTE_ARRAY')
        return fixed((values) => bytesToDecimals(values.bytes, values.count, (index) => index * length));
      if (physical === 'BYTE_ARRAY')
        return variable(({ bytes, count, offsets }) => ({
          data: bytesToDecimals(bytes, count, (index) => offsets[index] as number),
        }));
    }
  } else if (annotation?.kind === 'integer') {
    const { bitWidth, isSigned } = annotation;
    const isUnsigned32 = !isSigned && bitWidth === 32;
    if (key === 'int INT32' && !isUnsigned32) return fixed(same);
    if (key === 'long INT32') return fixed((values) => widened(values, 2, !isUnsigned32));
    if (key === 'long INT64' && isSigned) return fixed(same);
  } else if (annotation?.kind === 'timestamp' || annotation?.kind === 'time') {
    const { unit } = annotation;
    const base = type.replace('tz', '');
    if (
      physical === 'INT64' &&
      ((base === annotation.kind && unit === 'micros') || (base === 'timestamp_ns' && kind === 'timestamp' && unit === 'nanos'))
    )
      return fixed(same);
    if (base === annotation.kind && unit === 'millis') return fixed((values) => multiplied(values, 1000n));
  } else if (kind === 'date') {
    if (key === 'date INT32') return fixed(same);
    if (key === 'timestamp INT32') return fixed((values) => multiplied(values, 86_400_000_000n));
    if (key === 'timestamp_ns INT32') return fixed((values) => multiplied(values, 86_400_000_000_000n));
  } else if (key === 'uuid FIXED_LEN_BYTE_ARRAY' && length === 16 && (kind === 'uuid' || kind === 'none')) {
    return fixed(same);
  } else if (physical === 'BYTE_ARRAY' && (type === 'string' || type === 'binary') && (kind === 'none' || kind === 'text')) {
    return variable(type === 'string' ? checkedTexts : contents);
  } else if (kind === 'none') {
    if (key === 'boolean BOOLEAN') return fixed((values) => packBits(values.bytes, values.count));
    if (key === 'long INT32') return fixed((values) => widened(values, 2, true));
    if (key === 'double FLOAT')
      return fixed(({ bytes, count }) => new Uint8Array(Float64Array.from(new Float32Array(bytes.buffer, 0, count)).buffer));
    if ((type === 'timestamp' || type === 'timestamptz') && physical === 'INT96') return fixed(julianInstants);
    if (physical === 'FIXED_LEN_BYTE_ARRAY' && fixedLength(type) === length) return fixed(same);
    if (key === 'int INT32' || key === 'long INT64' || key === 'float FLOAT' || key === 'double DOUBLE') return fixed(same);
  }
  const what =
    annotation === null ? physical : `${physical} (${annotation.kind === 'other' ? annotation.name : annotation.kind})`;
  throw unsupported(`${what} as ${type}`);
}

function fixed(convert: (values: FixedValues) => Uint8Array<ArrayBuffer>): Conversion {
  return (values) => {
    if (!(values instanceof FixedValues)) throw damaged('a column has values of another kind');
    const data = convert(values);
    if (data.buffer !== values.bytes.buffer) values.free();
    return { data };
  };
}

function variable(convert: (values: VariableValues) => ArrowCells): Conversion {
  return (values) => {
    if (!(values instanceof VariableValues)) throw damaged('a column has values of another kind');
    const cells = convert(values);
    if (cells.valueOffsets === undefined) values.free();
    return cells;
  };
}

function same({ bytes, count, width }: FixedValues): Uint8Array<ArrayBuffer> {
  return trimmed(bytes, count * width);
}

/** Memory that would stay much larger than what is in it is given back. */
function trimmed(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (bytes.length <= size * 1.25 + 1024) return bytes.subarray(0, size);
  const kept = newBytes(size).subarray(0, size);
  kept.set(bytes.subarray(0, size));
  freeBytes(bytes);
  return kept;
}

function contents({ bytes, byteCount, offsets, count }: VariableValues): ArrowCells {
  return { data: trimmed(bytes, byteCount), valueOffsets: offsets.subarray(0, count + 1) };
}

function checkedTexts(values: VariableValues): ArrowCells {
  if (!values.areTexts()) throw damaged('a text is not UTF-8');
  return contents(values);
}

/** Words to integers of so many words. */
function widened({ words, count }: FixedValues, wordsEach: number, isSigned: boolean): Uint8Array<ArrayBuffer> {
  const target = wordsFor(count * wordsEach);
  for (let index = 0, to = 0; index < count; index++) {
    const value = words[index] as number;
    target[to++] = value;
    const sign = isSigned ? value >> 31 : 0;
    for (let word = 1; word < wordsEach; word++) target[to++] = sign;
  }
  return new Uint8Array(target.buffer, 0, target.byteLength);
}

function wordsFor(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(newBytes(count * 4).buffer, 0, count);
}

function pairsToDecimals({ words, count }: FixedValues): Uint8Array<ArrayBuffer> {
  const target = wordsFor(count * 4);
  for (let index = 0; index < count; index++) {
    const high = words[index * 2 + 1] as number;
    target[index * 4] = words[index * 2] as number;
    target[index * 4 + 1] = high;
    target[index * 4 + 2] = high >> 31;
    target[index * 4 + 3] = high >> 31;
  }
  return new Uint8Array(target.buffer, 0, target.byteLength);
}

/** Big-endian two's complement to sixteen little-endian bytes. A value that needs more than those is damage. */
function bytesToDecimals(bytes: Uint8Array, count: number, startOf: (index: number) => number): Uint8Array<ArrayBuffer> {
  const target = newBytes(count * 16);
  for (let index = 0; index < count; index++) {
    const [start, end, to] = [startOf(index), startOf(index + 1), index * 16];
    const sign = end > start && (bytes[start] as number) >= 0x80 ? 0xff : 0;
    const kept = Math.min(16, end - start);
    for (let byte = 0; byte < kept; byte++) target[to + byte] = bytes[end - 1 - byte] as number;
    for (let byte = kept; byte < 16; byte++) target[to + byte] = sign;
    for (let at = start; at < end - 16; at++) if (bytes[at] !== sign) throw damaged('a decimal has more than 38 digits');
    if (end - start > 16 && ((target[to + 15] as number) & 0x80) !== (sign & 0x80))
      throw damaged('a decimal has more than 38 digits');
  }
  return target;
}

function multiplied({ words, width, bytes, count }: FixedValues, factor: bigint): Uint8Array<ArrayBuffer> {
  const longs = width === 8 ? new BigInt64Array(bytes.buffer, 0, count) : null;
  const target = new BigInt64Array(count);
  for (let index = 0; index < count; index++) {
    const value = (longs === null ? BigInt(words[index] as number) : (longs[index] as bigint)) * factor;
    if (BigInt.asIntN(64, value) !== value) throw damaged('an instant is outside of what 64 bits hold');
    target[index] = value;
  }
  return new Uint8Array(target.buffer);
}

/** INT96 of Impala and old Spark: nanoseconds of the day, then the Julian day; cut off to microseconds. */
function julianInstants({ words, count }: FixedValues): Uint8Array<ArrayBuffer> {
  const target = new BigInt64Array(count);
  for (let index = 0; index < count; index++) {
    const [low, high, day] = [words[index * 3] as number, words[index * 3 + 1] as number, words[index * 3 + 2] as number];
    const nanos = (BigInt(high) << 32n) | BigInt(low >>> 0);
    const micros = BigInt(day - 2_440_588) * 86_400_000_000n + nanos / 1000n;
    if (BigInt.asIntN(64, micros) !== micros) throw damaged('an instant is outside of what 64 bits hold');
    target[index] = micros;
  }
  return new Uint8Array(target.buffer);
}
