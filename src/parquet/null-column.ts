import { type Data, DataType, makeData } from 'apache-arrow';

/** A column of `length` nulls. */
export function nullColumn(type: DataType, length: number): Data {
  if (DataType.isNull(type)) return makeData({ type, length });
  const shared = { type, length, nullCount: length, nullBitmap: new Uint8Array((length + 7) >> 3) };
  if (DataType.isStruct(type)) {
    return makeData({ ...shared, children: type.children.map((child) => nullColumn(child.type, length)) } as never);
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const child = nullColumn(type.children[0]?.type as DataType, 0);
    return makeData({ ...shared, valueOffsets: new Int32Array(length + 1), child } as never);
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    return makeData({ ...shared, valueOffsets: new Int32Array(length + 1), data: new Uint8Array() } as never);
  }
  if (DataType.isBool(type)) return makeData({ ...shared, data: new Uint8Array((length + 7) >> 3) } as never);
  // Elements of the array that a cell takes.
  const stride = DataType.isFixedSizeBinary(type) ? type.byteWidth : DataType.isDecimal(type) ? type.bitWidth / 32 : 1;
  return makeData({ ...shared, data: new type.ArrayType(length * stride) } as never);
}
