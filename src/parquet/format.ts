/** Numbers of the Parquet format (parquet.thrift), with their names for messages. */
export const physicalTypes = [
  'BOOLEAN',
  'INT32',
  'INT64',
  'INT96',
  'FLOAT',
  'DOUBLE',
  'BYTE_ARRAY',
  'FIXED_LEN_BYTE_ARRAY',
] as const;
export type PhysicalType = (typeof physicalTypes)[number];

export const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const;
export type Codec = (typeof codecs)[number];

/** BIT_PACKED is the old encoding of levels; the gap is an encoding that was never used. */
export const encodings = [
  'PLAIN',
  'GROUP_VAR_INT',
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
] as const;
export type Encoding = (typeof encodings)[number];

export const repetitions = ['REQUIRED', 'OPTIONAL', 'REPEATED'] as const;
export type Repetition = (typeof repetitions)[number];

/** What a column's values mean, from its logical type or, in old files, its converted type. */
export type Annotation =
  | { readonly kind: 'text' | 'list' | 'map' | 'date' | 'uuid' | 'null' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly unit: TimeUnit }
  | { readonly kind: 'integer'; readonly bitWidth: number; readonly isSigned: boolean }
  | { readonly kind: 'other'; readonly name: string };

export type TimeUnit = 'millis' | 'micros' | 'nanos';
