import avro from 'avsc';
import { avroWritersCachedMax } from '../limits.ts';
import { exactLongs } from './avro-long.ts';
import type { AvroSchema } from './avro-schema.ts';

type AvroWrite = (record: unknown) => Uint8Array;

/** By the schema as JSON: a table's manifests have the same from commit to commit, and compiling one takes longer than writing with it. */
const compiled = new Map<string, AvroWrite>();

/**
 * Gives the function that encodes one record: longs are bigints, ints and doubles numbers, bytes and fixed Buffers, optional
 * values plain or null. It throws where a record does not fit the schema.
 */
export function compileAvroWriter(schema: AvroSchema): AvroWrite {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const type = avro.Type.forSchema(schema as avro.Schema, {
    wrapUnions: 'never',
    omitRecordMethods: true,
    typeHook: exactLongs,
  });
  const write: AvroWrite = (record) => type.toBuffer(record);
  if (compiled.size >= avroWritersCachedMax) compiled.clear();
  compiled.set(key, write);
  return write;
}
