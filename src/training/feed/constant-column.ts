import { type Data, DataType, makeData } from 'apache-arrow';
import { IcecoreError } from '../../errors.ts';
import type { Literal } from '../../iceberg/type.ts';
import { uuidBytes } from '../../iceberg/uuid.ts';
import { nullColumn } from '../../parquet/null-column.ts';

/** A column of `length` cells of one value, or of nulls. Throws INTERNAL for types that no single value has. */
export function constantColumn(type: DataType, value: Literal | null, length: number): Data {
  if (value === null) return nullColumn(type, length);
  const shared = { type, length, nullCount: 0 };
  if (DataType.isBool(type)) {
    return makeData({ ...shared, data: new Uint8Array((length + 7) >> 3).fill(value === true ? 0xff : 0) } as never);
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : bytesOf(value);
    const valueOffsets = Int32Array.from({ length: length + 1 }, (_, row) => row * bytes.length);
    return makeData({ ...shared, valueOffsets, data: repeated(bytes, length) } as never);
  }
  if (DataType.isFixedSizeBinary(type)) return makeData({ ...shared, data: repeated(bytesOf(value), length) } as never);
  if (DataType.isDecimal(type)) {
    const bytes = new Uint8Array(new BigInt64Array([BigInt.asIntN(64, integer(value)), integer(value) >> 64n]).buffer);
    return makeData({ ...shared, data: new Uint32Array(repeated(bytes, length).buffer) } as never);
  }
  const array = new type.ArrayType(length) as Int32Array | BigInt64Array | Float64Array;
  if (array instanceof BigInt64Array) array.fill(integer(value));
  else array.fill(Number(value));
  return makeData({ ...shared, data: array } as never);
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let at = 0; at < all.length; at += bytes.length) all.set(bytes, at);
  return all;
}

function integer(value: Literal): bigint {
  if (typeof value === 'bigint' || typeof value === 'number') return BigInt(value);
  throw new IcecoreError('INTERNAL', `A column of numbers cannot have the value ${String(value)}.`);
}

function bytesOf(value: Literal): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return uuidBytes(value);
  throw new IcecoreError('INTERNAL', `A column of bytes cannot have the value ${String(value)}.`);
}
