import type { IcecoreError } from '../errors.ts';
import { avroDepthMax, avroSchemaPartsMax } from '../limits.ts';
import { type AvroCursor, damaged } from './avro-cursor.ts';
import type { AvroArray, AvroField, AvroRecord, AvroSchema } from './avro-schema.ts';
import { decimalFromBytes } from './decimal.ts';
import { uuidText } from './uuid.ts';

/**
 * What is wanted of a file, by Iceberg field id, whatever its writer called it or put beside it:
 * `int` a number, `long` a bigint, `bytes` a copy; `literal` a partition value by the writer's own type;
 * a record an array with one place for each wanted field, null where the writer has none; `encoded` a text that is the same
 * for equal values of one file.
 */
export type AvroShape =
  | 'boolean'
  | 'int'
  | 'long'
  | 'string'
  | 'bytes'
  | 'literal'
  | 'encoded'
  | { readonly kind: 'record'; readonly fields: readonly AvroShapeField[] }
  | { readonly kind: 'list'; readonly items: AvroShape }
  /** An Iceberg map with int keys. With `keep`, values of other keys are skipped. */
  | { readonly kind: 'map'; readonly values: 'long' | 'bytes'; readonly keep?: ReadonlySet<number> | undefined };

export interface AvroShapeField {
  readonly id: number;
  readonly name: string;
  readonly shape: AvroShape;
  /** A file without the field, or with a null in it, is refused. */
  readonly required?: boolean;
}

export type AvroRead = (cursor: AvroCursor) => unknown;

/** Gives the function that reads one value of the writer's schema as the shape. Throws FAILED_PRECONDITION where they do not fit. */
export function compileAvroReader(schema: AvroSchema, shape: AvroShape): AvroRead {
  return new ReaderCompiler().read(schema, shape, 0);
}

type Named = { readonly type: string; readonly name?: string };

class ReaderCompiler {
  /** Avro names a type once and refers to it by name after that. */
  readonly #named = new Map<string, AvroSchema>();
  #parts = 0;

  read(schema: AvroSchema, shape: AvroShape, depth: number): AvroRead {
    if (shape === 'encoded') {
      const skip = this.#skip(schema, depth);
      return (cursor) => {
        const start = cursor.position;
        skip(cursor);
        return cursor.textSince(start);
      };
    }
    const written = this.#resolve(schema, depth);
    if (Array.isArray(written)) return this.#readUnion(written, shape, depth);
    const type = written as Named;
    if (shape === 'literal') return readLiteral(type);
    if (typeof shape === 'string') return readPrimitive(type, shape);
    if (shape.kind === 'record' && type.type === 'record') return this.#readRecord(type as AvroRecord, shape.fields, depth);
    if (shape.kind === 'list' && type.type === 'array') {
      const item = this.read((type as AvroArray).items, shape.items, depth + 1);
      return (cursor) => readItems(cursor, item);
    }
    if (shape.kind === 'map' && type.type === 'array') return this.#readMap(type as AvroArray, shape, depth);
    throw unfit(type.type, shape.kind);
  }

  #resolve(schema: AvroSchema, depth: number): AvroSchema {
    if (depth > avroDepthMax) throw damaged(`its schema is nested deeper than ${avroDepthMax}`);
    if (++this.#parts > avroSchemaPartsMax) throw damaged(`its schema has more than ${avroSchemaPartsMax} parts`);
    if (typeof schema === 'string') return this.#named.get(schema) ?? { type: schema };
    if (Array.isArray(schema)) return schema;
    const type = schema as Named;
    // {"type": {"type": "array", …}} wraps a schema once more, and some writers do it.
    if (typeof type?.type === 'object') return this.#resolve(type.type as AvroSchema, depth + 1);
    if (typeof type?.type !== 'string') throw damaged('its schema has a part without a type');
    if (type.name !== undefined) this.#named.set(type.name, schema);
    return schema;
  }

  #readUnion(branches: readonly AvroSchema[], shape: AvroShape, depth: number): AvroRead {
    const reads = branches.map((branch) => (branch === 'null' ? readNull : this.read(branch, shape, depth + 1)));
    return (cursor) => {
      const read = reads[cursor.readInt()];
      if (read === undefined) throw damaged('a union names a branch that its schema lacks');
      return read(cursor);
    };
  }

  #readRecord(record: AvroRecord, wanted: readonly AvroShapeField[], depth: number): AvroRead {
    const found = new Set<number>();
    const steps = record.fields.map((field): { slot: number; read: AvroRead } => {
      const slot = wanted.findIndex((want) => matches(field, want));
      const want = wanted[slot];
      if (want === undefined) return { slot: -1, read: this.#skip(field.type, depth + 1) };
      found.add(slot);
      const read = this.read(field.type, want.shape, depth + 1);
      if (want.required !== true) return { slot, read };
      return {
        slot,
        read: (cursor) => {
          const value = read(cursor);
          if (value === null) throw damaged(`field ${want.name} (${want.id}) is null where it is required`);
          return value;
        },
      };
    });
    const missing = wanted.find((want, slot) => want.required === true && !found.has(slot));
    if (missing !== undefined) throw damaged(`record ${record.name} lacks the field ${missing.name} (${missing.id})`);
    return (cursor) => {
      const values: unknown[] = new Array(wanted.length).fill(null);
      for (const { slot, read } of steps) {
        const value = read(cursor);
        if (slot >= 0) values[slot] = value;
      }
      return values;
    };
  }

  #readMap(
    array: AvroArray,
    shape: { values: 'long' | 'bytes'; keep?: ReadonlySet<number> | undefined },
    depth: number,
  ): AvroRead {
    const pair = this.#resolve(array.items, depth + 1) as AvroRecord;
    const [key, value] = pair.fields ?? [];
    if (pair.type !== 'record' || key === undefined || value === undefined || pair.fields.length !== 2) {
      throw unfit(pair.type, 'pair of a key and a value');
    }
    const readKey = this.read(key.type, 'int', depth + 2);
    const readValue = this.read(value.type, shape.values, depth + 2);
    const skipValue = this.#skip(value.type, depth + 2);
    const { keep } = shape;
    return (cursor) => {
      const map = new Map<number, unknown>();
      for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) {
        for (let index = 0; index < count; index++) {
          const id = readKey(cursor) as number;
          if (keep === undefined || keep.has(id)) map.set(id, readValue(cursor));
          else skipValue(cursor);
        }
      }
      return map;
    };
  }

  /** How many integers an item is made of; 0 where it holds anything else. */
  #integersOf(schema: AvroSchema, depth: number): number {
    const type = this.#resolve(schema, depth) as Named & { readonly fields?: readonly AvroField[] };
    if (type.type === 'int' || type.type === 'long') return 1;
    if (type.type !== 'record') return 0;
    const fields = (type.fields ?? []).map((field) => this.#integersOf(field.type, depth + 1));
    return fields.includes(0) ? 0 : fields.reduce((sum, count) => sum + count, 0);
  }

  /** Whether an item is an integer and bytes, or text. */
  #isKeyedBytes(schema: AvroSchema, depth: number): boolean {
    const { type, fields = [] } = this.#resolve(schema, depth) as Named & { readonly fields?: readonly AvroField[] };
    const [key, value] = fields;
    if (type !== 'record' || key === undefined || value === undefined || fields.length !== 2) return false;
    const valueType = (this.#resolve(value.type, depth + 1) as Named).type;
    return this.#integersOf(key.type, depth + 1) === 1 && (valueType === 'bytes' || valueType === 'string');
  }

  #skip(schema: AvroSchema, depth: number): AvroRead {
    const written = this.#resolve(schema, depth);
    if (Array.isArray(written)) {
      const skips = written.map((branch) => this.#skip(branch, depth + 1));
      return (cursor) => {
        const skip = skips[cursor.readInt()];
        if (skip === undefined) throw damaged('a union names a branch that its schema lacks');
        skip(cursor);
      };
    }
    const type = written as Named & { items: AvroSchema; values: AvroSchema; size: number; fields: readonly AvroField[] };
    switch (type.type) {
      case 'null':
        return readNull;
      case 'boolean':
        return (cursor) => cursor.skip(1);
      case 'int':
      case 'long':
      case 'enum':
        return (cursor) => cursor.skipLong();
      case 'float':
        return (cursor) => cursor.skip(4);
      case 'double':
        return (cursor) => cursor.skip(8);
      case 'string':
      case 'bytes':
        return (cursor) => cursor.skip(cursor.readInt());
      case 'fixed':
        return (cursor) => cursor.skip(type.size);
      case 'record': {
        const skips = type.fields.map((field) => this.#skip(field.type, depth + 1));
        return (cursor) => {
          for (const skip of skips) skip(cursor);
        };
      }
      case 'array': {
        const integers = this.#integersOf(type.items, depth + 1);
        if (integers > 0) return skipIntegerItems(integers);
        return this.#isKeyedBytes(type.items, depth + 1) ? skipKeyedBytes : skipItems(this.#skip(type.items, depth + 1));
      }
      case 'map': {
        const skipValue = this.#skip(type.values, depth + 1);
        return skipItems((cursor) => {
          cursor.skip(cursor.readInt());
          skipValue(cursor);
        });
      }
      default:
        throw damaged(`its schema has a type ${type.type}, which Avro does not know`);
    }
  }
}

function matches(field: AvroField, want: AvroShapeField): boolean {
  const id = field['field-id'];
  return id === undefined ? field.name === want.name : id === want.id;
}

function unfit(written: string, wanted: string): IcecoreError {
  return damaged(`it holds ${written} where ${wanted} belongs`);
}

const readNull: AvroRead = () => null;
const readLong: AvroRead = (cursor) => cursor.readLong();
const readInt: AvroRead = (cursor) => cursor.readInt();
/** A copy, so that a bound of four bytes does not keep its whole block in memory. */
const readBytes: AvroRead = (cursor) => new Uint8Array(cursor.readBytes());
const readString: AvroRead = (cursor) => cursor.readString();
const readBoolean: AvroRead = (cursor) => cursor.readByte() !== 0;

function readPrimitive({ type }: Named, wanted: 'boolean' | 'int' | 'long' | 'string' | 'bytes'): AvroRead {
  const isInteger = type === 'int' || type === 'long';
  if (wanted === 'long' && isInteger) return readLong;
  if (wanted === 'int' && isInteger) return readInt;
  if (wanted === 'string' && type === 'string') return readString;
  if (wanted === 'bytes' && type === 'bytes') return readBytes;
  if (wanted === 'boolean' && type === 'boolean') return readBoolean;
  throw unfit(type, wanted);
}

/** A partition value: int and date are numbers, long, times and decimals bigints, uuid its text. */
function readLiteral(written: Named & { readonly logicalType?: string; readonly size?: number }): AvroRead {
  const { logicalType, size = 0 } = written;
  switch (written.type) {
    case 'null':
      return readNull;
    case 'boolean':
      return readBoolean;
    case 'int':
      return readInt;
    case 'long':
      return readLong;
    case 'float':
      return (cursor) => cursor.readFloat();
    case 'double':
      return (cursor) => cursor.readDouble();
    case 'string':
      return readString;
    case 'bytes':
      return logicalType === 'decimal' ? (cursor) => decimalFromBytes(cursor.readBytes()) : readBytes;
    case 'fixed':
      if (logicalType === 'decimal') return (cursor) => decimalFromBytes(cursor.readFixed(size));
      if (logicalType === 'uuid') return (cursor) => uuidText(cursor.readFixed(size));
      return (cursor) => new Uint8Array(cursor.readFixed(size));
    default:
      throw unfit(written.type, 'a partition value');
  }
}

function readItems(cursor: AvroCursor, item: AvroRead): unknown[] {
  const items: unknown[] = [];
  for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) {
    for (let index = 0; index < count; index++) items.push(item(cursor));
  }
  return items;
}

function skipIntegerItems(integers: number): AvroRead {
  return (cursor) => {
    for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) cursor.skipLongs(count * integers);
  };
}

const skipKeyedBytes: AvroRead = (cursor) => {
  for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) cursor.skipKeyedBytes(count);
};

function skipItems(skip: AvroRead): AvroRead {
  return (cursor) => {
    for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) {
      for (let index = 0; index < count; index++) skip(cursor);
    }
  };
}
