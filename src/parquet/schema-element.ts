import { type Annotation, type PhysicalType, physicalTypes, type Repetition, repetitions, type TimeUnit } from './format.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { type ThriftReader, thriftType } from './thrift-reader.ts';

/** An element of the footer's schema, which lists its tree depth-first (parquet.thrift: `SchemaElement`). */
export interface SchemaElement {
  readonly name: string;
  readonly childCount: number;
  /** Undefined for groups. */
  readonly physical: PhysicalType | undefined;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY. */
  readonly length: number;
  readonly repetition: Repetition;
  readonly fieldId: number | null;
  readonly annotation: Annotation | null;
}

export function readSchemaElement(reader: ThriftReader): SchemaElement {
  let physical: PhysicalType | undefined;
  let repetition: Repetition = 'REQUIRED';
  let [name, childCount, length, scale, precision] = ['', 0, 0, 0, 0];
  let fieldId: number | null = null;
  let logical: Annotation | null = null;
  let converted: number | null = null;
  reader.struct((field) => {
    switch (field) {
      case 1:
        physical = named(physicalTypes, reader.int(), 'physical type');
        return true;
      case 2:
        length = reader.size();
        return true;
      case 3:
        repetition = named(repetitions, reader.int(), 'repetition');
        return true;
      case 4:
        name = reader.text();
        return true;
      case 5:
        childCount = reader.size();
        return true;
      case 6:
        converted = reader.int();
        return true;
      case 7:
        scale = reader.size();
        return true;
      case 8:
        precision = reader.size();
        return true;
      case 9:
        fieldId = reader.int();
        return true;
      case 10:
        logical = readLogicalType(reader);
        return true;
      default:
        return false;
    }
  });
  const annotation = logical ?? (converted === null ? null : ofConverted(converted, precision, scale));
  return { name, childCount, physical, length, repetition, fieldId, annotation };
}

/** The name of a number of the format. */
export function named<T>(names: readonly T[], value: number, what: string): T {
  const name = names[value];
  if (name === undefined) throw unsupported(`The ${what} ${value}`);
  return name;
}

/** `LogicalType`, a union: a struct with one field. */
function readLogicalType(reader: ThriftReader): Annotation | null {
  let found: Annotation | null = null;
  reader.struct((field, type) => {
    if (type !== thriftType.struct) throw damaged('a logical type is no struct');
    switch (field) {
      case 5:
        found = readDecimal(reader);
        return true;
      case 7:
        found = { kind: 'time', unit: readUnit(reader) };
        return true;
      case 8:
        found = { kind: 'timestamp', unit: readUnit(reader) };
        return true;
      case 10:
        found = readInteger(reader);
        return true;
      default:
        found = plainLogical[field] ?? { kind: 'other', name: `The logical type ${field}` };
        return false;
    }
  });
  return found;
}

const plainLogical: Readonly<Record<number, Annotation>> = {
  1: { kind: 'text' },
  2: { kind: 'map' },
  3: { kind: 'list' },
  4: { kind: 'text' },
  6: { kind: 'date' },
  11: { kind: 'null' },
  12: { kind: 'text' },
  13: { kind: 'other', name: 'BSON' },
  14: { kind: 'uuid' },
  15: { kind: 'other', name: 'FLOAT16' },
  16: { kind: 'other', name: 'VARIANT' },
  17: { kind: 'other', name: 'GEOMETRY' },
  18: { kind: 'other', name: 'GEOGRAPHY' },
};

function readDecimal(reader: ThriftReader): Annotation {
  let [precision, scale] = [0, 0];
  reader.struct((field) => {
    if (field === 1) scale = reader.size();
    else if (field === 2) precision = reader.size();
    else return false;
    return true;
  });
  return { kind: 'decimal', precision, scale };
}

/** The unit of a `TimeType` or `TimestampType`. */
function readUnit(reader: ThriftReader): TimeUnit {
  let unit: TimeUnit | undefined;
  reader.struct((field) => {
    if (field !== 2) return false;
    reader.struct((which) => {
      unit = named<TimeUnit>(['millis', 'micros', 'nanos'], which - 1, 'unit of time');
      return false;
    });
    return true;
  });
  if (unit === undefined) throw damaged('a time has no unit');
  return unit;
}

function readInteger(reader: ThriftReader): Annotation {
  let [bitWidth, isSigned] = [0, false];
  reader.struct((field, type) => {
    if (field === 1) bitWidth = reader.byte();
    else if (field === 2) isSigned = reader.boolean(type);
    else return false;
    return true;
  });
  return { kind: 'integer', bitWidth, isSigned };
}

/** `ConvertedType`, what logical types were before. */
function ofConverted(converted: number, precision: number, scale: number): Annotation {
  if (converted === 5) return { kind: 'decimal', precision, scale };
  if (converted >= 11 && converted <= 18) {
    return { kind: 'integer', bitWidth: 8 << ((converted - 11) & 3), isSigned: converted >= 15 };
  }
  return plainConverted[converted] ?? { kind: 'other', name: `The converted type ${converted}` };
}

const plainConverted: Readonly<Record<number, Annotation>> = {
  0: { kind: 'text' },
  1: { kind: 'map' },
  2: { kind: 'map' },
  3: { kind: 'list' },
  4: { kind: 'text' },
  6: { kind: 'date' },
  7: { kind: 'time', unit: 'millis' },
  8: { kind: 'time', unit: 'micros' },
  9: { kind: 'timestamp', unit: 'millis' },
  10: { kind: 'timestamp', unit: 'micros' },
  19: { kind: 'text' },
  20: { kind: 'other', name: 'BSON' },
  21: { kind: 'other', name: 'INTERVAL' },
};
