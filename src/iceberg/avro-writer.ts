import avro from 'avsc';
import type { AvroSchema } from './avro-schema.ts';

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

/**
 * Gives the function that encodes one record: longs are bigints, ints and doubles numbers, bytes and fixed Buffers, optional
 * values plain or null. It throws where a record does not fit the schema.
 */
export function compileAvroWriter(schema: AvroSchema): (record: unknown) => Uint8Array {
  const type = avro.Type.forSchema(schema as avro.Schema, {
    wrapUnions: 'never',
    omitRecordMethods: true,
    typeHook: (part) => (part === 'long' || isLong(part) ? longType : undefined),
  });
  return (record) => type.toBuffer(record);
}

function isLong(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'type' in part && part.type === 'long';
}
