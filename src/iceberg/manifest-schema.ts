import {
  type AvroAnnotated,
  type AvroArray,
  type AvroField,
  type AvroRecord,
  type AvroSchema,
  avroName,
  avroOptional,
} from './avro-schema.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { decimalParts, fixedLength, type PrimitiveType } from './type.ts';

function field(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type, 'field-id': id };
}

function optional(id: number, name: string, type: AvroSchema): AvroField {
  return { name, type: avroOptional(type), default: null, 'field-id': id };
}

/** Avro's maps have text keys only; Iceberg's with int keys are arrays of pairs (spec: Appendix A, "Avro"). */
function intMap(keyId: number, valueId: number, value: AvroSchema): AvroArray {
  const pair: AvroRecord = {
    type: 'record',
    name: `k${keyId}_v${valueId}`,
    fields: [field(keyId, 'key', 'int'), field(valueId, 'value', value)],
  };
  return { type: 'array', logicalType: 'map', items: pair };
}

/** The bytes that hold any decimal of a precision. */
export function decimalWidth(precision: number): number {
  let width = 1;
  while (10n ** BigInt(precision) > 1n << BigInt(width * 8 - 1)) width++;
  return width;
}

const timestamp = (logicalType: string, adjustToUtc: boolean): AvroAnnotated => ({
  type: 'long',
  logicalType,
  'adjust-to-utc': adjustToUtc,
});

/** A partition value's Avro type (spec: Appendix A, "Avro"). */
function partitionValueSchema(type: PrimitiveType, fieldId: number): AvroSchema {
  switch (type) {
    case 'date':
      return { type: 'int', logicalType: 'date' };
    case 'time':
      return { type: 'long', logicalType: 'time-micros' };
    case 'timestamp':
    case 'timestamptz':
      return timestamp('timestamp-micros', type === 'timestamptz');
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return timestamp('timestamp-nanos', type === 'timestamptz_ns');
    case 'uuid':
      return { type: 'fixed', name: `uuid_${fieldId}`, size: 16, logicalType: 'uuid' };
    case 'binary':
      return 'bytes';
    case 'unknown':
      return 'null';
    default: {
      const decimal = decimalParts(type);
      const length = fixedLength(type);
      if (length !== null) return { type: 'fixed', name: `fixed_${fieldId}_${length}`, size: length };
      if (decimal === null) return type;
      const { precision, scale } = decimal;
      const size = decimalWidth(precision);
      return { type: 'fixed', name: `decimal_${precision}_${scale}_${fieldId}`, size, logicalType: 'decimal', precision, scale };
    }
  }
}

/** The record of a spec's partition values, `r102`. `types` are those of the spec's fields, in order. */
function partitionSchema(spec: PartitionSpec, types: readonly PrimitiveType[]): AvroRecord {
  return {
    type: 'record',
    name: 'r102',
    fields: spec.fields.map(({ fieldId, name }, index): AvroField => {
      const plain = avroName(name);
      const value = optional(fieldId, plain, partitionValueSchema(types[index] ?? 'string', fieldId));
      const nullable = types[index] === 'unknown' ? { ...value, type: 'null' } : value;
      return plain === name ? nullable : { ...nullable, 'iceberg-field-name': name };
    }),
  };
}

/**
 * What a manifest of one spec holds (spec: "Manifests"). v1 requires what v2 lets be inherited, and knows data files only; v3 adds row ids and
 * deletion vectors.
 */
export function manifestEntrySchema(formatVersion: 1 | 2 | 3, spec: PartitionSpec, types: readonly PrimitiveType[]): AvroRecord {
  const isV1 = formatVersion === 1;
  const dataFile: AvroRecord = {
    type: 'record',
    name: 'r2',
    fields: [
      ...(isV1 ? [] : [field(134, 'content', 'int')]),
      field(100, 'file_path', 'string'),
      field(101, 'file_format', 'string'),
      field(102, 'partition', partitionSchema(spec, types)),
      field(103, 'record_count', 'long'),
      field(104, 'file_size_in_bytes', 'long'),
      // Deprecated, and required in v1 alone.
      ...(isV1 ? [field(105, 'block_size_in_bytes', 'long')] : []),
      optional(108, 'column_sizes', intMap(117, 118, 'long')),
      optional(109, 'value_counts', intMap(119, 120, 'long')),
      optional(110, 'null_value_counts', intMap(121, 122, 'long')),
      optional(137, 'nan_value_counts', intMap(138, 139, 'long')),
      optional(125, 'lower_bounds', intMap(126, 127, 'bytes')),
      optional(128, 'upper_bounds', intMap(129, 130, 'bytes')),
      optional(131, 'key_metadata', 'bytes'),
      optional(132, 'split_offsets', { type: 'array', items: 'long', 'element-id': 133 }),
      ...(isV1 ? [] : [optional(135, 'equality_ids', { type: 'array', items: 'int', 'element-id': 136 })]),
      optional(140, 'sort_order_id', 'int'),
      ...(formatVersion === 3 ? [optional(142, 'first_row_id', 'long')] : []),
      ...(isV1 ? [] : [optional(143, 'referenced_data_file', 'string')]),
      ...(formatVersion === 3 ? [optional(144, 'content_offset', 'long'), optional(145, 'content_size_in_bytes', 'long')] : []),
    ],
  };
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      field(0, 'status', 'int'),
      isV1 ? field(1, 'snapshot_id', 'long') : optional(1, 'snapshot_id', 'long'),
      ...(isV1 ? [] : [optional(3, 'sequence_number', 'long'), optional(4, 'file_sequence_number', 'long')]),
      field(2, 'data_file', dataFile),
    ],
  };
}

const fieldSummarySchema: AvroRecord = {
  type: 'record',
  name: 'r508',
  fields: [
    field(509, 'contains_null', 'boolean'),
    optional(518, 'contains_nan', 'boolean'),
    optional(510, 'lower_bound', 'bytes'),
    optional(511, 'upper_bound', 'bytes'),
  ],
};

/** What a manifest list holds (spec: "Manifest Lists"). */
export function manifestFileSchema(formatVersion: 1 | 2 | 3): AvroRecord {
  const isV1 = formatVersion === 1;
  return {
    type: 'record',
    name: 'manifest_file',
    fields: [
      field(500, 'manifest_path', 'string'),
      field(501, 'manifest_length', 'long'),
      field(502, 'partition_spec_id', 'int'),
      ...(isV1
        ? []
        : [field(517, 'content', 'int'), field(515, 'sequence_number', 'long'), field(516, 'min_sequence_number', 'long')]),
      field(503, 'added_snapshot_id', 'long'),
      field(504, 'added_files_count', 'int'),
      field(505, 'existing_files_count', 'int'),
      field(506, 'deleted_files_count', 'int'),
      field(512, 'added_rows_count', 'long'),
      field(513, 'existing_rows_count', 'long'),
      field(514, 'deleted_rows_count', 'long'),
      optional(507, 'partitions', { type: 'array', items: fieldSummarySchema, 'element-id': 508 }),
      optional(519, 'key_metadata', 'bytes'),
      ...(formatVersion === 3 ? [optional(520, 'first_row_id', 'long')] : []),
    ],
  };
}
