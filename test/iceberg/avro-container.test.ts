import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import { openAvroContainer, writeAvroContainer } from '../../src/iceberg/avro-container.ts';
import { AvroCursor } from '../../src/iceberg/avro-cursor.ts';
import { compileAvroReader } from '../../src/iceberg/avro-reader.ts';
import type { AvroSchema } from '../../src/iceberg/avro-schema.ts';
import { avroBlockBytesMax } from '../../src/limits.ts';

const schema: AvroSchema = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'noise', type: { type: 'array', items: 'long' } },
    { name: 'id', type: 'long', 'field-id': 7 },
  ],
};
const shape = { kind: 'record', fields: [{ id: 7, name: 'renamed', shape: 'long' }] } as const;

function readAll(file: Uint8Array): unknown[] {
  const container = openAvroContainer(file);
  const read = compileAvroReader(container.schema, shape);
  return [...container.blocks()].flatMap(({ bytes, count }) => {
    const cursor = new AvroCursor(bytes);
    return Array.from({ length: count }, () => read(cursor));
  });
}

const text = (value: string) => [...avro.Type.forSchema('string').toBuffer(value)];
const long = (value: number) => [...avro.Type.forSchema('long').toBuffer(value)];
const sync = new Array<number>(16).fill(9);

/** A container of one block, each part as given, however wrong. */
function container(codec: string, block: Uint8Array, count = 1, json = JSON.stringify(schema)): Uint8Array {
  const header = [
    0x4f,
    0x62,
    0x6a,
    1,
    ...long(2),
    ...text('avro.schema'),
    ...text(json),
    ...text('avro.codec'),
    ...text(codec),
    0,
    ...sync,
  ];
  return Buffer.concat([Uint8Array.from([...header, ...long(count), ...long(block.length)]), block, Uint8Array.from(sync)]);
}

const record = Uint8Array.from([...long(2), ...long(1), ...long(2), 0, ...long(-5)]);

describe('an Avro container', () => {
  it('is read by field id, in each codec', () => {
    expect(readAll(container('null', record))).toEqual([[-5n]]);
    expect(readAll(container('deflate', deflateRawSync(record)))).toEqual([[-5n]]);
    expect(readAll(container('zstandard', zstdCompressSync(record)))).toEqual([[-5n]]);
    expect(() => readAll(container('snappy', record))).toThrow('compressed with snappy');
  });

  it('that we write is read by avsc', async () => {
    const records = [1n, -1n, 2n ** 53n - 2n].map((id) => ({ noise: [1n], id }));
    const file = writeAvroContainer(schema, new Map([['key', 'Wert']]), records);
    const decoder = new avro.streams.BlockDecoder();
    decoder.end(Buffer.from(file));
    const read: unknown[] = [];
    for await (const value of decoder) read.push(value.id);
    expect(read).toEqual([1, -1, 2 ** 53 - 2]);
    expect(openAvroContainer(file).metadata).toEqual(new Map([['key', 'Wert']]));
    expect(openAvroContainer(file).schema).toEqual(schema);
  });

  it('keeps all 64 bits', () => {
    const ids = [
      0n,
      63n,
      64n,
      -64n,
      -65n,
      2n ** 27n,
      2n ** 28n,
      2n ** 53n,
      -(2n ** 53n),
      2n ** 55n,
      2n ** 56n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ];
    const file = writeAvroContainer(
      schema,
      new Map(),
      ids.map((id) => ({ noise: [], id })),
    );
    expect(readAll(file)).toEqual(ids.map((id) => [id]));
  });

  it('that says it holds more than it does is refused before memory is spent', () => {
    const manyItems = Uint8Array.from([...long(2 ** 50), 0]);
    expect(() => readAll(container('null', manyItems))).toThrow('where 1 bytes are left');
    expect(() => readAll(container('null', record, 2 ** 40))).toThrow('records');
    const bomb = deflateRawSync(new Uint8Array(avroBlockBytesMax + 1));
    expect(() => readAll(container('deflate', bomb))).toThrow('does not decompress');
  });

  it('whose schema names itself over and over is refused', () => {
    const twice = JSON.stringify({
      type: 'record',
      name: 'r',
      fields: ['a', 'b'].map((name) => ({ name, type: ['null', 'r'] })),
    });
    expect(() => readAll(container('null', record, 1, twice))).toThrow('schema');
  });
});
