import { readingFile } from '../iceberg/broken-file.ts';
import { parquetFooterBytesMax, parquetGroupRowsMax } from '../limits.ts';
import type { ByteRange, Storage } from '../storage/storage.ts';
import { type Codec, codecs, type Encoding, encodings, type PhysicalType, physicalTypes } from './format.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { named, readSchemaElement, type SchemaElement } from './schema-element.ts';
import { leavesOf, type SchemaNode, schemaTree } from './schema-node.ts';
import { ThriftReader, thriftType } from './thrift-reader.ts';

/** A file as far as it is read: its name for messages, and its bytes by half-open ranges. */
export interface ParquetFile {
  readonly location: string;
  readonly sizeBytes: number;
  /** Bytes that are the caller's, who may free them: in `into`, of the range's size, where that is faster. */
  read(range: ByteRange, into?: Uint8Array): Promise<Uint8Array>;
}

/** A file in storage; its size is what the table's manifest says. */
export function storedFile(storage: Pick<Storage, 'read'>, location: string, sizeBytes: number): ParquetFile {
  return { location, sizeBytes, read: (range, into) => storage.read(location, range, into) };
}

/** What the end of a file says about the rest. */
export interface FileMetadata {
  readonly rowCount: number;
  readonly columns: readonly SchemaNode[];
  readonly rowGroups: readonly RowGroup[];
}

export interface RowGroup {
  readonly rowCount: number;
  /** One for each leaf of the schema, in its order. */
  readonly chunks: readonly ColumnChunk[];
}

/** The pages of one leaf in one row group. */
export interface ColumnChunk {
  readonly physical: PhysicalType;
  readonly codec: Codec;
  readonly encodings: readonly Encoding[];
  /** With nulls, and with the empty lists and null lists that have no value. */
  readonly valueCount: number;
  /** Where its pages lie, the dictionary's first. */
  readonly range: ByteRange;
}

/** Most footers are within this of the end: one request gets them. */
const tailBytes = 64 * 1024;
const frameBytes = 8;
const magicBytes = 4;

/**
 * The metadata at the end of a file (format: "File Format", "Metadata"). Throws FAILED_PRECONDITION that names the file where it is no
 * Parquet file, is damaged or is encrypted.
 */
export async function readFileMetadata(file: ParquetFile): Promise<FileMetadata> {
  const { location, sizeBytes } = file;
  const tailStart = Math.max(0, sizeBytes - tailBytes);
  const tail = await readExactly(file, { start: tailStart, end: sizeBytes });
  const footerBytes = readingFile(location, () => footerLength(tail, sizeBytes));
  const footerEnd = sizeBytes - frameBytes;
  const footerStart = footerEnd - footerBytes;
  const footer =
    footerStart >= tailStart
      ? tail.subarray(footerStart - tailStart, footerEnd - tailStart)
      : await readExactly(file, { start: footerStart, end: footerEnd });
  return readingFile(location, () => readFooter(footer, footerStart));
}

/** The bytes of a range, all of them: in `into` where that is faster. */
export async function readExactly(file: ParquetFile, range: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
  const bytes = range.end > range.start ? await file.read(range, into) : new Uint8Array();
  return readingFile(file.location, () => {
    if (bytes.length !== range.end - range.start) throw damaged('it is shorter than its size says');
    return bytes;
  });
}

function footerLength(tail: Uint8Array, sizeBytes: number): number {
  const magic = Buffer.from(tail.subarray(-magicBytes)).toString('latin1');
  if (magic === 'PARE') throw unsupported('An encrypted footer');
  if (magic !== 'PAR1' || sizeBytes < frameBytes + magicBytes) throw damaged('it does not end as a Parquet file does');
  const length = Buffer.from(tail.subarray(-frameBytes, -magicBytes)).readUInt32LE();
  if (length > sizeBytes - frameBytes - magicBytes) throw damaged('its footer would begin before the file');
  if (length > parquetFooterBytesMax) throw unsupported(`A footer of more than ${parquetFooterBytesMax} bytes`);
  return length;
}

/** `FileMetaData`. No chunk may reach into the footer, which begins at `dataEnd`. */
function readFooter(footer: Uint8Array, dataEnd: number): FileMetadata {
  const reader = new ThriftReader(footer);
  let elements: SchemaElement[] = [];
  let rowCount = 0;
  let groups: RowGroup[] = [];
  reader.struct((field) => {
    switch (field) {
      case 2:
        elements = reader.list(thriftType.struct, () => readSchemaElement(reader));
        return true;
      case 3:
        rowCount = reader.size();
        return true;
      case 4:
        groups = reader.list(thriftType.struct, () => readRowGroupMetadata(reader, dataEnd));
        return true;
      case 8:
        throw unsupported('Encryption');
      default:
        return false;
    }
  });
  const columns = schemaTree(elements);
  const leaves = leavesOf(columns);
  for (const group of groups) {
    if (group.chunks.length !== leaves.length) throw damaged('a row group has not the columns of the schema');
    for (const [index, chunk] of group.chunks.entries()) {
      if (chunk.physical !== leaves[index]?.leaf?.physical) throw damaged('a row group has a column of another type');
    }
  }
  const sum = groups.reduce((total, group) => total + group.rowCount, 0);
  if (sum !== rowCount) throw damaged(`its row groups have ${sum} rows, and the file says ${rowCount}`);
  return { rowCount, columns, rowGroups: groups };
}

function readRowGroupMetadata(reader: ThriftReader, dataEnd: number): RowGroup {
  let chunks: ColumnChunk[] = [];
  let rowCount = 0;
  reader.struct((field) => {
    if (field === 1) chunks = reader.list(thriftType.struct, () => readColumnChunk(reader, dataEnd));
    else if (field === 3) rowCount = reader.size();
    else return false;
    return true;
  });
  if (rowCount > parquetGroupRowsMax) throw unsupported(`A row group of more than ${parquetGroupRowsMax} rows`);
  return { rowCount, chunks };
}

function readColumnChunk(reader: ThriftReader, dataEnd: number): ColumnChunk {
  let chunk: ColumnChunk | undefined;
  reader.struct((field) => {
    if (field === 1) throw unsupported('A column that lies in another file');
    if (field === 8 || field === 9) throw unsupported('Encryption');
    if (field !== 3) return false;
    chunk = readColumnMetadata(reader, dataEnd);
    return true;
  });
  if (chunk === undefined) throw damaged('a column of a row group has no metadata');
  return chunk;
}

/** `ColumnMetaData`. */
function readColumnMetadata(reader: ThriftReader, dataEnd: number): ColumnChunk {
  let [physical, codec] = [-1, -1];
  let used: Encoding[] = [];
  let [valueCount, bytes, dataStart, dictionaryStart] = [0, 0, 0, 0];
  reader.struct((field) => {
    switch (field) {
      case 1:
        physical = reader.int();
        return true;
      case 2:
        used = reader.list(thriftType.i32, () => named(encodings, reader.int(), 'encoding'));
        return true;
      case 4:
        codec = reader.int();
        return true;
      case 5:
        valueCount = reader.size();
        return true;
      case 7:
        bytes = reader.size();
        return true;
      case 9:
        dataStart = reader.size();
        return true;
      case 11:
        dictionaryStart = reader.size();
        return true;
      default:
        return false;
    }
  });
  if (valueCount > parquetGroupRowsMax) throw unsupported(`A row group of more than ${parquetGroupRowsMax} values in one column`);
  const start = dictionaryStart > 0 ? Math.min(dictionaryStart, dataStart) : dataStart;
  const range = { start, end: start + bytes };
  // Writers may leave the offsets of a chunk without pages at 0.
  if (valueCount > 0 && (range.start < magicBytes || range.end > dataEnd)) throw damaged('a column lies outside the file');
  return {
    physical: named(physicalTypes, physical, 'physical type'),
    codec: named(codecs, codec, 'codec'),
    encodings: used,
    valueCount,
    range,
  };
}
