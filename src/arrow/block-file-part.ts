import { Data, DataType } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';

/** Buffers of a block, of a message and of its body begin at multiples of this, as Arrow recommends: readers use vector instructions. */
const blockAlignment = 64;

/** The next multiple of 64. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / blockAlignment) * blockAlignment;
}

/**
 * How many numbers describe a part, which is one column of one block: of each of the type's nodes, outermost first, its length, its nulls
 * and the bytes of each of its buffers. The same for all parts of a column. Throws INTERNAL for a type without a layout.
 */
export function partNumbers(type: DataType): number {
  return 2 + buffersOf(type) + (type.children ?? []).reduce((sum, child) => sum + partNumbers(child.type), 0);
}

/** How many buffers a node has of its own: validity first, then offsets, then values. */
export function buffersOf(type: DataType): number {
  if (DataType.isNull(type)) return 0;
  if (DataType.isStruct(type)) return 1;
  if (DataType.isList(type) || DataType.isMap(type)) return 2;
  if (DataType.isUtf8(type) || DataType.isBinary(type)) return 3;
  if (isFixedWidth(type)) return 2;
  throw new IcecoreError('INTERNAL', `Block files have no layout for columns of the type ${type}.`);
}

function isFixedWidth(type: DataType): boolean {
  const fixed = [
    DataType.isBool,
    DataType.isInt,
    DataType.isFloat,
    DataType.isDecimal,
    DataType.isDate,
    DataType.isTime,
    DataType.isTimestamp,
    DataType.isFixedSizeBinary,
  ];
  return fixed.some((is) => is(type));
}

/** The column of a part that lies in `bytes` from `start` on, as views of them. */
export function readPart(type: DataType, bytes: ArrayBuffer, start: number, numbers: Float64Array): Data {
  let at = 0;
  let position = start;
  const next = () => numbers[at++] ?? 0;
  const buffer = () => {
    const [from, length] = [position, next()];
    position += aligned(length);
    return { from, length };
  };
  const node = (type: DataType): Data => {
    const [length, nullCount] = [next(), next()];
    if (DataType.isNull(type)) return new Data(type, 0, length, length);
    const validity = buffer();
    const bitmap = nullCount === 0 ? undefined : new Uint8Array(bytes, validity.from, validity.length);
    const build = (offsets: Int32Array | undefined, values: unknown, children: Data[]) =>
      new Data(type, 0, length, nullCount, [offsets, values, bitmap, undefined] as never, children);
    if (DataType.isStruct(type)) {
      return build(
        undefined,
        undefined,
        type.children.map((child) => node(child.type)),
      );
    }
    if (DataType.isList(type) || DataType.isMap(type)) {
      const offsets = new Int32Array(bytes, buffer().from, length + 1);
      return build(
        offsets,
        undefined,
        type.children.map((child) => node(child.type)),
      );
    }
    const isVariable = DataType.isUtf8(type) || DataType.isBinary(type);
    const offsets = isVariable ? new Int32Array(bytes, buffer().from, length + 1) : undefined;
    const values = buffer();
    return build(offsets, new type.ArrayType(bytes, values.from, values.length / type.ArrayType.BYTES_PER_ELEMENT), []);
  };
  return node(type);
}
