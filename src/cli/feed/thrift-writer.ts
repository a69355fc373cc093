/** A value of Thrift as the compact protocol writes it; a struct is its fields by their ids, in rising order. */
export type ThriftValue =
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'i32' | 'i64'; readonly value: number }
  | { readonly kind: 'binary'; readonly value: Uint8Array }
  | { readonly kind: 'list'; readonly of: 'i32' | 'binary' | 'struct'; readonly values: readonly ThriftValue[] }
  | { readonly kind: 'struct'; readonly fields: ThriftFields };

/** Fields that are undefined are left out. */
export type ThriftFields = Readonly<Record<number, ThriftValue | undefined>>;

export const i32 = (value: number): ThriftValue => ({ kind: 'i32', value });
export const i64 = (value: number): ThriftValue => ({ kind: 'i64', value });
export const bool = (value: boolean): ThriftValue => ({ kind: 'bool', value });
export const text = (value: string): ThriftValue => ({ kind: 'binary', value: Buffer.from(value) });
export const struct = (fields: ThriftFields): ThriftValue => ({ kind: 'struct', fields });
export const list = (of: 'i32' | 'binary' | 'struct', values: readonly ThriftValue[]): ThriftValue => ({
  kind: 'list',
  of,
  values,
});

const types = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** The bytes of a struct (Thrift: "Compact protocol"). Whole numbers go up to 2^53. */
export function thriftStruct(fields: ThriftFields): Buffer {
  const parts: Uint8Array[] = [];
  writeStruct(fields, parts);
  return Buffer.concat(parts);
}

function writeStruct(fields: ThriftFields, parts: Uint8Array[]): void {
  let before = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const id = Number(name);
    const type = value.kind === 'bool' ? (value.value ? 1 : 2) : types[value.kind];
    // Ids lie close to each other here: none is more than 15 from the one before.
    parts.push(Uint8Array.of(((id - before) << 4) | type));
    before = id;
    if (value.kind !== 'bool') writeValue(value, parts);
  }
  parts.push(Uint8Array.of(0));
}

function writeValue(value: ThriftValue, parts: Uint8Array[]): void {
  switch (value.kind) {
    case 'bool':
      parts.push(Uint8Array.of(value.value ? 1 : 2));
      return;
    case 'i32':
    case 'i64':
      parts.push(varint(value.value < 0 ? -2 * value.value - 1 : 2 * value.value));
      return;
    case 'binary':
      parts.push(varint(value.value.byteLength), value.value);
      return;
    case 'list': {
      const { length } = value.values;
      parts.push(Uint8Array.of((Math.min(length, 15) << 4) | types[value.of]));
      if (length >= 15) parts.push(varint(length));
      for (const each of value.values) writeValue(each, parts);
      return;
    }
    case 'struct':
      writeStruct(value.fields, parts);
  }
}

/** ULEB128 of a whole number up to 2^53. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
