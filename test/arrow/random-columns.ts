import { type Data, DataType, makeData, Vector } from 'apache-arrow';
import fc from 'fast-check';
import { arrowSchema } from '../../src/arrow/arrow-type.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';

const primitives = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'unknown',
  'decimal(9, 2)',
  'decimal(38, 0)',
  'fixed[3]',
] as const;

const { type: anyType } = fc.letrec<{ type: Type }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 4, arbitrary: fc.constantFrom<Type>(...(primitives as readonly Type[])) },
    {
      weight: 1,
      arbitrary: fc
        .array(tie('type'), { minLength: 1, maxLength: 3 })
        .map((types): Type => ({ kind: 'struct', fields: types.map((type, index) => field(index, type)) })),
    },
    {
      weight: 1,
      arbitrary: tie('type').map((element): Type => ({ kind: 'list', elementId: 7, element, elementRequired: false })),
    },
    {
      weight: 1,
      arbitrary: tie('type').map(
        (value): Type => ({ kind: 'map', keyId: 8, key: 'string', valueId: 9, value, valueRequired: false }),
      ),
    },
  ),
}));

function field(index: number, type: Type): NestedField {
  return { id: index + 1, name: `c${index}`, required: false, type } as NestedField;
}

/** Schemas of one to four columns of any type that Icecore's columns have. */
export const schemas = fc
  .array(anyType, { minLength: 1, maxLength: 4 })
  .map((types) => arrowSchema(types.map((type, index) => field(index, type))));

/** Numbers that follow from a seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A column of random cells, some null, which may be a slice of a longer one. */
export function randomColumn(type: DataType, length: number, random: () => number): Data {
  const [before, after] = random() < 0.5 ? [0, 0] : [Math.floor(random() * 20), Math.floor(random() * 20)];
  const data = unslicedColumn(type, before + length + after, random);
  return before + after === 0 ? data : data.slice(before, length);
}

function unslicedColumn(type: DataType, length: number, random: () => number): Data {
  if (DataType.isNull(type)) return makeData({ type, length });
  const nullsShare = random() < 0.4 ? 0 : random();
  const nullBitmap = nullsShare === 0 ? undefined : new Uint8Array(Math.ceil(length / 8));
  for (let row = 0; row < length; row++) {
    if (nullBitmap !== undefined && random() >= nullsShare) nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7));
  }
  const shared = { type, length, ...(nullBitmap === undefined ? { nullCount: 0 } : { nullBitmap }) };
  if (DataType.isStruct(type)) {
    return makeData({ ...shared, children: type.children.map((child) => randomColumn(child.type, length, random)) } as never);
  }
  const isVariable = DataType.isUtf8(type) || DataType.isBinary(type);
  if (isVariable || DataType.isList(type) || DataType.isMap(type)) {
    const valueOffsets = new Int32Array(length + 1);
    valueOffsets[0] = Math.floor(random() * 5);
    for (let row = 0; row < length; row++) valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + Math.floor(random() * 4);
    const end = valueOffsets[length] ?? 0;
    if (isVariable) return makeData({ ...shared, valueOffsets, data: randomBytes(end, random, DataType.isUtf8(type)) } as never);
    const [child] = type.children;
    return makeData({ ...shared, valueOffsets, child: child && randomColumn(child.type, end, random) } as never);
  }
  if (DataType.isBool(type)) return makeData({ ...shared, data: randomBytes(Math.ceil(length / 8), random, false) } as never);
  const width = makeData({ type, length: 0 } as never) as Data;
  const bytes = randomBytes(length * width.stride * type.ArrayType.BYTES_PER_ELEMENT, random, false);
  // arrow-js reads no instants that are not whole numbers of a Date's kind.
  if (DataType.isTimestamp(type)) for (let byte = 0; byte < bytes.length; byte++) if (byte % 8 > 5) bytes[byte] = 0;
  return makeData({ ...shared, data: new type.ArrayType(bytes.buffer) } as never);
}

function randomBytes(length: number, random: () => number, isText: boolean): Uint8Array {
  return Uint8Array.from({ length }, () => (isText ? 97 + Math.floor(random() * 26) : Math.floor(random() * 256)));
}

/** The cells as arrow-js reads them, to compare. */
export function cellsOf(column: Data): readonly unknown[] {
  return Array.from(new Vector([column]), plain);
}

function plain(cell: unknown): unknown {
  if (typeof cell === 'bigint') return `${cell}n`;
  if (typeof cell === 'number') return Object.is(cell, -0) ? '-0' : String(cell);
  if (cell === null || typeof cell !== 'object') return cell;
  if (ArrayBuffer.isView(cell)) return Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('hex');
  if (cell instanceof Vector) return Array.from(cell, plain);
  return [...(cell as Iterable<readonly [unknown, unknown]>)].map(([key, value]) => [plain(key), plain(value)]);
}
