import duckdb from '@duckdb/node-bindings';
import { type Data, DataType, type Field } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { contentReader } from './cell-content.ts';
import { type CellValue, cellValueOf } from './cell-value.ts';
import { mapRows, type RowSelection, rowAt, runOf } from './row-selection.ts';

/** Writes the selected rows of an Arrow column to the beginning of a DuckDB vector. */
export type VectorWriter = (vector: duckdb.Vector, data: Data, rows: RowSelection) => void;

function damagedBatch(what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `A record batch is damaged: ${what}.`);
}

/**
 * The writer for a column, as `fromArrowType` types it. The engine copies memory unasked, so every length and offset of the
 * batch is checked first. Throws BAD_USER_INPUT for a damaged batch and for values out of range.
 */
export function vectorWriter(field: Field): VectorWriter {
  const type: DataType = field.type;
  if (DataType.isNull(type)) return (vector, _data, rows) => writeValidity(vector, rows, () => false);
  if (DataType.isDictionary(type)) return dictionaryWriter(vectorWriter(field.clone({ type: type.dictionary })));
  if (DataType.isStruct(type)) return structWriter(type.children.map(vectorWriter));
  if (DataType.isFixedSizeList(type)) return listWriter(childWriter(type.children[0]), type.listSize);
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isMap(type))
    return listWriter(childWriter(type.children[0]));
  if (DataType.isBool(type)) return writeBooleans;
  const cell = cellValueOf(type, field.metadata.get('ARROW:extension:name') === 'arrow.uuid' && isSixteenBytes(type));
  return cell === undefined ? contentWriter(type) : fixedWidthWriter(cell);
}

function isSixteenBytes(type: DataType): boolean {
  return DataType.isFixedSizeBinary(type) && type.byteWidth === 16;
}

function childWriter(field: Field | undefined): VectorWriter {
  if (field === undefined) throw damagedBatch('a list has no type of its elements');
  return vectorWriter(field);
}

function isNull(data: Data, row: number): boolean {
  return row < 0 || (data.nullCount > 0 && data.nullBitmap.length > 0 && !data.getValid(row));
}

function checkLength(data: Data, rows: RowSelection): void {
  if (rows.kind === 'run' && rows.from + rows.count > data.length) throw damagedBatch('a column is too short');
}

function writeValidity(vector: duckdb.Vector, rows: RowSelection, isValid: (row: number) => boolean): void {
  const bits = new Uint8Array(((rows.count + 63) >> 6) * 8);
  let hasNull = false;
  for (let index = 0; index < rows.count; index++) {
    const row = rowAt(rows, index);
    if (row >= 0 && isValid(row)) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
    else hasNull = true;
  }
  if (!hasNull) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, bits.buffer, 0, bits.byteLength);
}

function writeNulls(vector: duckdb.Vector, data: Data, rows: RowSelection): void {
  if (rows.kind === 'run' && (data.nullCount === 0 || data.nullBitmap.length === 0)) return;
  writeValidity(vector, rows, (row) => !isNull(data, row));
}

/** The bytes of a column's values, checked to hold all of its rows. */
function valueBytes(data: Data, bytesPerRow: number): Uint8Array {
  const values: ArrayBufferView = data.values;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (bytes.length < data.length * bytesPerRow && data.nullCount < data.length) throw damagedBatch('a column is too short');
  return bytes;
}

function fixedWidthWriter({ sourceBytes, targetBytes, copy }: CellValue): VectorWriter {
  return (vector, data, rows) => {
    checkLength(data, rows);
    const bytes = valueBytes(data, sourceBytes);
    if (copy === undefined && rows.kind === 'run' && bytes.length >= (rows.from + rows.count) * sourceBytes) {
      const start = bytes.byteOffset + rows.from * sourceBytes;
      duckdb.copy_data_to_vector(vector, 0, bytes.buffer as ArrayBuffer, start, rows.count * sourceBytes);
    } else {
      const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const target = new Uint8Array(rows.count * targetBytes);
      const view = new DataView(target.buffer);
      for (let index = 0; index < rows.count; index++) {
        const row = rowAt(rows, index);
        if (isNull(data, row)) continue;
        if (copy !== undefined) copy(source, row * sourceBytes, view, index * targetBytes);
        else target.set(bytes.subarray(row * sourceBytes, (row + 1) * sourceBytes), index * targetBytes);
      }
      duckdb.copy_data_to_vector(vector, 0, target.buffer, 0, target.byteLength);
    }
    writeNulls(vector, data, rows);
  };
}

/** DuckDB has a byte a boolean, Arrow a bit. */
function writeBooleans(vector: duckdb.Vector, data: Data, rows: RowSelection): void {
  checkLength(data, rows);
  const bits: Uint8Array = data.values;
  if (bits.length * 8 < data.length && data.nullCount < data.length) throw damagedBatch('a column is too short');
  const target = new Uint8Array(rows.count);
  for (let index = 0; index < rows.count; index++) {
    const at = rowAt(rows, index) + data.offset;
    target[index] = at < 0 ? 0 : ((bits[at >> 3] ?? 0) >> (at & 7)) & 1;
  }
  duckdb.copy_data_to_vector(vector, 0, target.buffer, 0, target.byteLength);
  writeNulls(vector, data, rows);
}

function contentWriter(type: DataType): VectorWriter {
  return (vector, data, rows) => {
    checkLength(data, rows);
    const contentOf = contentReader(type, data);
    for (let index = 0; index < rows.count; index++) {
      const row = rowAt(rows, index);
      if (!isNull(data, row)) duckdb.vector_assign_string_element_len(vector, index, contentOf(row));
    }
    writeNulls(vector, data, rows);
  };
}

function dictionaryWriter(write: VectorWriter): VectorWriter {
  return (vector, data, rows) => {
    checkLength(data, rows);
    const [dictionary, ...more] = data.dictionary?.data ?? [];
    if (dictionary === undefined) throw damagedBatch('a dictionary is missing');
    if (more.length > 0) throw damagedBatch('a dictionary came in parts; write it whole');
    const indexes: ArrayLike<number | bigint> = data.values;
    const selection = mapRows(rows, (row) => {
      if (isNull(data, row)) return -1;
      const index = Number(indexes[row] ?? -1);
      if (index < 0 || index >= dictionary.length) throw damagedBatch('an index points outside its dictionary');
      return index;
    });
    write(vector, dictionary, selection);
  };
}

function structWriter(children: readonly VectorWriter[]): VectorWriter {
  return (vector, data, rows) => {
    checkLength(data, rows);
    // The fields of a null struct are null for the engine, whatever lies there.
    const hasNulls = data.nullCount > 0 && data.nullBitmap.length > 0;
    const fields = hasNulls ? mapRows(rows, (row) => (isNull(data, row) ? -1 : row)) : rows;
    for (const [index, write] of children.entries()) {
      const child = data.children[index];
      if (child === undefined || child.length < data.length) throw damagedBatch('a field of a struct is too short');
      write(duckdb.struct_vector_get_child(vector, index), child, fields);
    }
    writeNulls(vector, data, rows);
  };
}

function listWriter(write: VectorWriter, listSize?: number): VectorWriter {
  return (vector, data, rows) => {
    checkLength(data, rows);
    const [child] = data.children;
    if (child === undefined) throw damagedBatch('a list has no elements');
    const offsets: ArrayLike<number | bigint> = data.valueOffsets;
    const entries = new BigUint64Array(rows.count * 2);
    const elements: number[] = [];
    let total = 0;
    let isRun = true;
    let runFrom = -1;
    for (let index = 0; index < rows.count; index++) {
      const row = rowAt(rows, index);
      if (isNull(data, row)) continue;
      const start = listSize === undefined ? Number(offsets[row] ?? -1) : row * listSize;
      const end = listSize === undefined ? Number(offsets[row + 1] ?? -1) : start + listSize;
      if (start < 0 || end < start || end > child.length) throw damagedBatch('a list points outside its elements');
      entries[index * 2] = BigInt(total);
      entries[index * 2 + 1] = BigInt(end - start);
      if (end === start) continue;
      if (runFrom < 0) runFrom = start;
      if (isRun && runFrom + total !== start) {
        isRun = false;
        for (let element = 0; element < total; element++) elements.push(runFrom + element);
      }
      if (!isRun) for (let element = start; element < end; element++) elements.push(element);
      total += end - start;
    }
    duckdb.list_vector_reserve(vector, total);
    duckdb.list_vector_set_size(vector, total);
    duckdb.copy_data_to_vector(vector, 0, entries.buffer, 0, entries.byteLength);
    if (total > 0) {
      const selection: RowSelection = isRun
        ? runOf(runFrom, total)
        : { kind: 'rows', rows: Int32Array.from(elements), count: total };
      write(duckdb.list_vector_get_child(vector), child, selection);
    }
    writeNulls(vector, data, rows);
  };
}
