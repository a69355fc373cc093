import { isUtf8 } from 'node:buffer';
import { type Data, DataType } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';

function outside(): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', 'A record batch is damaged: a cell points outside its column.');
}

/** Reads the bytes of a column's text or binary cells, each checked to lie within the column, text to be UTF-8. */
export function contentReader(type: DataType, data: Data): (row: number) => Uint8Array {
  const read = bytesReader(type, data);
  if (!(DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type))) return read;
  return (row) => {
    const bytes = read(row);
    if (!isUtf8(bytes)) throw new IcecoreError('BAD_USER_INPUT', 'A record batch holds text that is not UTF-8.');
    return bytes;
  };
}

function bytesReader(type: DataType, data: Data): (row: number) => Uint8Array {
  const values: ArrayBufferView = data.values;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (DataType.isFixedSizeBinary(type)) {
    const { byteWidth } = type;
    return (row) => slice(bytes, row * byteWidth, byteWidth);
  }
  if (DataType.isUtf8View(type) || DataType.isBinaryView(type)) return viewReader(bytes, data.variadicBuffers);
  const offsets: ArrayLike<number | bigint> = data.valueOffsets;
  return (row) => {
    const start = Number(offsets[row] ?? -1);
    return slice(bytes, start, Number(offsets[row + 1] ?? -1) - start);
  };
}

function slice(bytes: Uint8Array, start: number, length: number): Uint8Array {
  if (start < 0 || length < 0 || start + length > bytes.length) throw outside();
  return bytes.subarray(start, start + length);
}

/** A view is 16 bytes: the length, then up to 12 bytes, or 4 of them, the number of a buffer and the place in it. */
function viewReader(views: Uint8Array, buffers: readonly Uint8Array[]): (row: number) => Uint8Array {
  const fields = new DataView(views.buffer, views.byteOffset, views.byteLength);
  return (row) => {
    const at = row * 16;
    if (at + 16 > views.length) throw outside();
    const length = fields.getInt32(at, true);
    if (length <= 12) return slice(views, at + 4, length);
    const buffer = buffers[fields.getInt32(at + 8, true)];
    if (buffer === undefined) throw outside();
    return slice(buffer, fields.getInt32(at + 12, true), length);
  };
}
