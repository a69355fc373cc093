import { type Data, DataType } from 'apache-arrow';

/** A cell as a text that holds each of its bytes, read without haste from the buffers of a column (format: "Physical Memory Layout"). */
export function cellText(data: Data, row: number): string {
  const { type } = data;
  if (DataType.isNull(type) || !isValid(data, row)) return 'null';
  if (DataType.isStruct(type)) return `{${data.children.map((child) => cellText(child, row)).join(',')}}`;
  if (DataType.isBool(type)) return String(bitAt(data.values, data.offset + row));
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    return hex(data.values.subarray(data.valueOffsets[row], data.valueOffsets[row + 1]));
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [child] = data.children;
    const texts: string[] = [];
    for (let index = data.valueOffsets[row]; index < data.valueOffsets[row + 1]; index++) {
      texts.push(child === undefined ? 'missing' : cellText(child, index));
    }
    return `[${texts.join(',')}]`;
  }
  return hex(data.values.subarray(row * data.stride, (row + 1) * data.stride));
}

function isValid(data: Data, row: number): boolean {
  return data.nullBitmap === undefined || data.nullBitmap.length === 0 || bitAt(data.nullBitmap, data.offset + row) === 1;
}

function bitAt(bits: Uint8Array, index: number): number {
  return ((bits[index >> 3] ?? 0) >> (index & 7)) & 1;
}

function hex(values: ArrayBufferView): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}
