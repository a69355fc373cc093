import avro from 'avsc';

/** Avro longs as bigints: avsc's own are numbers, and refuse what a double cannot hold. */
const longType = avro.types.LongType.__with(
  {
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer(value: bigint) {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeBigInt64LE(value);
      return bytes;
    },
    fromJSON: BigInt,
    toJSON: String,
    isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
    compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
  },
  false,
);

/** For avsc's `typeHook`: longs with attributes or without. */
export function exactLongs(part: unknown): avro.Type | undefined {
  const type = typeof part === 'object' && part !== null && 'type' in part ? part.type : part;
  return type === 'long' ? longType : undefined;
}
