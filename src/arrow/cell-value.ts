import { DataType, DateUnit, Precision, TimeUnit } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';

/** How one cell of a fixed width gets from an Arrow buffer into a DuckDB vector. Both are little endian. */
export interface CellValue {
  readonly sourceBytes: number;
  readonly targetBytes: number;
  /** Left out where the bytes are the same, and every one of them is allowed. Throws BAD_USER_INPUT for a value out of range. */
  readonly copy?: (source: DataView, from: number, target: DataView, to: number) => void;
}

const dayMs = 86_400_000n;
const dayMicros = 86_400_000_000n;
const longMax = 2n ** 63n - 1n;

function outOfRange(what: string, value: bigint | number): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The value ${value} is no ${what} that a table can hold.`);
}

/** The greatest and the least 64-bit instants mean infinity to the engine, and nothing to Iceberg. */
function instant(factor: bigint): CellValue {
  return {
    sourceBytes: 8,
    targetBytes: 8,
    copy(source, from, target, to) {
      const value = source.getBigInt64(from, true) * factor;
      if (value >= longMax || value <= -longMax) throw outOfRange('instant', value);
      target.setBigInt64(to, value, true);
    },
  };
}

function timeOfDay(sourceBytes: 4 | 8, factor: bigint): CellValue {
  return {
    sourceBytes,
    targetBytes: 8,
    copy(source, from, target, to) {
      const value = (sourceBytes === 4 ? BigInt(source.getInt32(from, true)) : source.getBigInt64(from, true)) * factor;
      if (value < 0n || value >= dayMicros) throw outOfRange('time of day', value);
      target.setBigInt64(to, value, true);
    },
  };
}

const dateDays: CellValue = {
  sourceBytes: 4,
  targetBytes: 4,
  copy(source, from, target, to) {
    const days = source.getInt32(from, true);
    if (days === 2 ** 31 - 1 || days <= -(2 ** 31 - 1)) throw outOfRange('date', days);
    target.setInt32(to, days, true);
  },
};

const dateMs: CellValue = {
  sourceBytes: 8,
  targetBytes: 4,
  copy(source, from, target, to) {
    const ms = source.getBigInt64(from, true);
    const days = ms / dayMs;
    if (ms % dayMs !== 0n || days >= 2n ** 31n - 1n || days <= -(2n ** 31n - 1n)) throw outOfRange('date', ms);
    target.setInt32(to, Number(days), true);
  },
};

function decimal(precision: number): CellValue {
  const limit = 10n ** BigInt(precision);
  const targetBytes = precision <= 4 ? 2 : precision <= 9 ? 4 : precision <= 18 ? 8 : 16;
  return {
    sourceBytes: 16,
    targetBytes,
    copy(source, from, target, to) {
      const value = (source.getBigInt64(from + 8, true) << 64n) | source.getBigUint64(from, true);
      if (value >= limit || value <= -limit) throw outOfRange(`decimal of ${precision} digits`, value);
      if (targetBytes === 2) target.setInt16(to, Number(value), true);
      else if (targetBytes === 4) target.setInt32(to, Number(value), true);
      else target.setBigInt64(to, BigInt.asIntN(64, value), true);
      if (targetBytes === 16) target.setBigInt64(to + 8, value >> 64n, true);
    },
  };
}

function narrowInt(bitWidth: number, isSigned: boolean): CellValue {
  const sourceBytes = bitWidth / 8;
  const read = (source: DataView, from: number) => {
    if (bitWidth === 8) return isSigned ? source.getInt8(from) : source.getUint8(from);
    return isSigned ? source.getInt16(from, true) : source.getUint16(from, true);
  };
  return { sourceBytes, targetBytes: 4, copy: (source, from, target, to) => target.setInt32(to, read(source, from), true) };
}

const unsigned32: CellValue = {
  sourceBytes: 4,
  targetBytes: 8,
  copy: (source, from, target, to) => target.setBigInt64(to, BigInt(source.getUint32(from, true)), true),
};

/** decimal(20, 0), in 128 bits. */
const unsigned64: CellValue = {
  sourceBytes: 8,
  targetBytes: 16,
  copy(source, from, target, to) {
    target.setBigUint64(to, source.getBigUint64(from, true), true);
    target.setBigUint64(to + 8, 0n, true);
  },
};

const float16: CellValue = {
  sourceBytes: 2,
  targetBytes: 4,
  copy(source, from, target, to) {
    const bits = source.getUint16(from, true);
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const magnitude =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    target.setFloat32(to, bits >> 15 === 1 ? -magnitude : magnitude, true);
  },
};

const uuid: CellValue = {
  sourceBytes: 16,
  targetBytes: 16,
  copy(source, from, target, to) {
    target.setBigUint64(to, source.getBigUint64(from + 8, false), true);
    target.setBigUint64(to + 8, source.getBigUint64(from, false) ^ (1n << 63n), true);
  },
};

const same = (bytes: number): CellValue => ({ sourceBytes: bytes, targetBytes: bytes });
const timeFactors: Readonly<Record<TimeUnit, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000n,
  [TimeUnit.MILLISECOND]: 1000n,
  [TimeUnit.MICROSECOND]: 1n,
  // Nanoseconds go to a column of nanoseconds.
  [TimeUnit.NANOSECOND]: 1n,
};

/** Undefined for types without a fixed width. `isUuid` where sixteen bytes are to become a uuid. */
export function cellValueOf(type: DataType, isUuid: boolean): CellValue | undefined {
  if (DataType.isInt(type)) {
    if (type.bitWidth <= 16) return narrowInt(type.bitWidth, type.isSigned);
    if (type.bitWidth === 32) return type.isSigned ? same(4) : unsigned32;
    return type.isSigned ? same(8) : unsigned64;
  }
  if (DataType.isFloat(type)) {
    if (type.precision === Precision.HALF) return float16;
    return same(type.precision === Precision.SINGLE ? 4 : 8);
  }
  if (DataType.isDecimal(type)) return decimal(type.precision);
  if (DataType.isDate(type)) return type.unit === DateUnit.DAY ? dateDays : dateMs;
  if (DataType.isTime(type)) return timeOfDay(type.bitWidth === 32 ? 4 : 8, timeFactors[type.unit]);
  if (DataType.isTimestamp(type)) return instant(timeFactors[type.unit]);
  return isUuid ? uuid : undefined;
}
