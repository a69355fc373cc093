import { type Data, DataType, makeData } from 'apache-arrow';

/** Numbers from a seed, each below the bound that is asked for. */
export type Random = (bound: number) => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return ((word ^ (word >>> 15)) >>> 0) % bound;
  };
}

/**
 * A column of random cells, its buffers made by hand: what lies under a null is anything, offsets do not begin at 0, children are longer
 * than their parents need. Every cell is one that its type allows.
 */
export function randomColumn(type: DataType, length: number, random: Random, canBeNull = true): Data {
  if (DataType.isNull(type)) return makeData({ type, length });
  const shared = { type, length, ...(canBeNull && random(3) > 0 ? bitmap(length, random) : { nullCount: 0 }) };
  if (DataType.isBool(type)) return makeData({ ...shared, data: bytes(Math.ceil(length / 8), random) } as never);
  if (DataType.isStruct(type)) {
    const children = type.children.map((field) => randomColumn(field.type, length + random(3), random, field.nullable));
    return makeData({ ...shared, children: children.map((child) => child.slice(0, length)) } as never);
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const valueOffsets = offsets(length, random, 5);
    const [field] = type.children;
    if (field === undefined) throw new Error('a list has elements');
    const child = randomColumn(field.type, (valueOffsets[length] ?? 0) + random(3), random, field.nullable);
    return makeData({ ...shared, valueOffsets, child } as never);
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const valueOffsets = offsets(length, random, random(8) === 0 ? 500 : 12);
    const data = bytes(valueOffsets[length] ?? 0, random).map((byte) => (DataType.isUtf8(type) ? 97 + (byte % 26) : byte));
    return makeData({ ...shared, valueOffsets, data } as never);
  }
  return makeData({ ...shared, data: cells(type, length, random) } as never);
}

function bytes(length: number, random: Random): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => random(256));
}

function bitmap(length: number, random: Random): { readonly nullCount: number; readonly nullBitmap: Uint8Array } {
  const nullBitmap = random(4) === 0 ? new Uint8Array(Math.ceil(length / 8)).fill(0xff) : bytes(Math.ceil(length / 8), random);
  return { nullCount: -1, nullBitmap };
}

function offsets(length: number, random: Random, longest: number): Int32Array {
  const ends = new Int32Array(length + 1);
  ends[0] = random(4);
  for (let index = 1; index <= length; index++) ends[index] = (ends[index - 1] ?? 0) + random(longest);
  return ends;
}

function cells(type: DataType, length: number, random: Random): ArrayBufferView {
  if (DataType.isDecimal(type)) return decimals(length, random);
  if (DataType.isTime(type)) return BigInt64Array.from({ length }, () => BigInt(random(2 ** 32)) * 20n);
  if (DataType.isFloat(type)) return type.ArrayType.from({ length }, () => (random(2 ** 32) - 2 ** 31) / 8);
  const width = DataType.isFixedSizeBinary(type) ? type.byteWidth : type.ArrayType.BYTES_PER_ELEMENT;
  const data = bytes(length * width, random);
  return new type.ArrayType(data.buffer, 0, data.length / type.ArrayType.BYTES_PER_ELEMENT);
}

/** Of at most nine digits, whatever the precision. */
function decimals(length: number, random: Random): Uint32Array {
  const words = new Uint32Array(length * 4);
  for (let index = 0; index < length; index++) {
    const value = random(2_000_000) - 1_000_000;
    words.fill(value < 0 ? 0xffffffff : 0, index * 4, index * 4 + 4);
    words[index * 4] = value >>> 0;
  }
  return words;
}
