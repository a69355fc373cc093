import { type Encoding, encodings } from './format.ts';
import { damaged } from './parquet-error.ts';
import { named } from './schema-element.ts';
import { ThriftReader } from './thrift-reader.ts';

/** What stands before a page's bytes (parquet.thrift: `PageHeader`). */
export interface PageHeader {
  readonly kind: 'data' | 'data2' | 'dictionary' | 'other';
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  /** Of the bytes as they lie in the file; undefined where the writer made none. */
  readonly crc: number | undefined;
  readonly valueCount: number;
  readonly encoding: Encoding;
  readonly definitionEncoding: Encoding;
  readonly repetitionEncoding: Encoding;
  /** Of pages of the second version alone, where levels lie before the values, never compressed. */
  readonly definitionBytes: number;
  readonly repetitionBytes: number;
  readonly isCompressed: boolean;
  /** Where the page's bytes begin. */
  readonly end: number;
}

const kinds = ['data', 'other', 'dictionary', 'data2'] as const;

export function readPageHeader(bytes: Uint8Array, at: number): PageHeader {
  const reader = new ThriftReader(bytes, at);
  let [type, uncompressedBytes, compressedBytes] = [-1, 0, 0];
  let crc: number | undefined;
  let [valueCount, encoding, definitionEncoding, repetitionEncoding] = [-1, 0, 3, 3];
  let [definitionBytes, repetitionBytes] = [0, 0];
  let isCompressed = true;
  const details = (version: number) => {
    reader.struct((field, fieldType) => {
      if (field === 1) valueCount = reader.size();
      else if (field === (version === 2 ? 4 : 2)) encoding = reader.int();
      else if (version === 1 && field === 3) definitionEncoding = reader.int();
      else if (version === 1 && field === 4) repetitionEncoding = reader.int();
      else if (version === 2 && field === 5) definitionBytes = reader.size();
      else if (version === 2 && field === 6) repetitionBytes = reader.size();
      else if (version === 2 && field === 7) isCompressed = reader.boolean(fieldType);
      else return false;
      return true;
    });
    return true;
  };
  reader.struct((field) => {
    switch (field) {
      case 1:
        type = reader.int();
        return true;
      case 2:
        uncompressedBytes = reader.size();
        return true;
      case 3:
        compressedBytes = reader.size();
        return true;
      case 4:
        crc = reader.int() >>> 0;
        return true;
      case 5:
        return type === 0 && details(1);
      case 7:
        return type === 2 && details(0);
      case 8:
        return type === 3 && details(2);
      default:
        return false;
    }
  });
  const kind = kinds[type] ?? 'other';
  if (kind !== 'other' && valueCount < 0) throw damaged('a page says nothing of its values');
  return {
    kind,
    uncompressedBytes,
    compressedBytes,
    crc,
    valueCount,
    encoding: named(encodings, encoding, 'encoding'),
    definitionEncoding: named(encodings, definitionEncoding, 'encoding'),
    repetitionEncoding: named(encodings, repetitionEncoding, 'encoding'),
    definitionBytes,
    repetitionBytes,
    isCompressed,
    end: reader.at,
  };
}
