import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeData, RecordBatch, RecordBatchReader, Schema, Struct } from 'apache-arrow';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arrowSchema } from '../../src/arrow/arrow-type.ts';
import { BatchEncoder } from '../../src/arrow/batch-encoder.ts';
import { headBytesMax, messageChunks } from '../../src/arrow/batch-message.ts';
import { type BatchCompression, codecOf } from '../../src/arrow/buffer-compression.ts';
import { oneBatchStream } from '../../src/arrow/ipc.ts';
import { MessageMemory } from '../../src/arrow/message-memory.ts';
import { registerZstd } from '../../src/arrow/zstd-codec.ts';
import { output } from '../environment/command.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { type BatchCase, batchCase, batchCases, flatTypes } from './batch-case.ts';
import { cellText } from './cell-text.ts';

registerZstd();

const metadata = new Map([
  ['icecore.cursor', 'WyJpY2Vjb3JlIl0.0123abcd'],
  ['icecore.note', 'é — 行'],
]);

function streamOf({ schema, blocks, picks, rowCount }: BatchCase, compression: BatchCompression): Uint8Array {
  const encoder = new BatchEncoder(schema, compression);
  const message = encoder.encode(blocks, picks, rowCount, metadata);
  return Buffer.concat([encoder.schemaMessage(), message, encoder.endMessage()]);
}

function batchOf(stream: Uint8Array): RecordBatch {
  const [batch, ...more] = [...RecordBatchReader.from(stream)];
  if (batch === undefined) throw new Error('a stream holds a batch');
  expect(more).toHaveLength(0);
  return batch;
}

function textsOf(batch: RecordBatch): readonly (readonly string[])[] {
  return batch.data.children.map((column) => Array.from({ length: batch.numRows }, (_, row) => cellText(column, row)));
}

const compressions = fc.constantFrom<BatchCompression>('NONE', 'NONE', 'ZSTD');

it('gathers the very rows that were picked, whatever the types', () => {
  fc.assert(
    fc.property(batchCases, compressions, (batchCase, compression) => {
      const { schema, blocks, rows, rowCount } = batchCase;
      const batch = batchOf(streamOf(batchCase, compression));
      expect(batch.numRows).toBe(rowCount);
      expect(batch.metadata).toEqual(metadata);
      const expected = schema.fields.map((_, column) =>
        rows.map(([block, row]) => {
          const data = blocks[block]?.[column];
          return data === undefined ? 'missing' : cellText(data, row);
        }),
      );
      expect(textsOf(batch)).toEqual(expected);
    }),
    { numRuns: 400 },
  );
});

it('gives the same bytes for the same rows, also on memory that was used before', () => {
  fc.assert(
    fc.property(batchCases, fc.constantFrom<BatchCompression>('NONE', 'LZ4', 'ZSTD'), (one, compression) => {
      const first = new BatchEncoder(one.schema, compression).encode(one.blocks, one.picks, one.rowCount, metadata);
      const memory = new MessageMemory(1024 ** 3);
      const encoder = new BatchEncoder(one.schema, compression, memory);
      const used = encoder.encode(one.blocks, one.picks, one.rowCount, new Map([['longer', 'x'.repeat(200)]]));
      used.fill(0xa5);
      memory.give(used.buffer);
      const again = encoder.encode(one.blocks, one.picks, one.rowCount, metadata);
      expect(Buffer.compare(first, again)).toBe(0);
    }),
  );
});

it('gives the same bytes where columns are encoded in parts', () => {
  const texts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', maxLength: 300 }));
  const cases = fc.tuple(batchCases, fc.constantFrom<BatchCompression>('NONE', 'LZ4', 'ZSTD'), texts, fc.nat(4));
  fc.assert(
    fc.property(cases, ([{ schema, blocks, picks, rowCount }, compression, pairs, cut]) => {
      const its = new Map(Object.entries(pairs));
      const whole = new BatchEncoder(schema, compression).encode(blocks, picks, rowCount, its);
      const room = headBytesMax(schema, its);
      const [first, second] = [[0, cut] as const, [cut, schema.fields.length] as const].map(([from, to], part) => {
        const columns = blocks.map((block) => block.slice(from, to));
        const encoder = new BatchEncoder(new Schema(schema.fields.slice(from, to)), compression);
        return encoder.encodeBody(columns, picks, rowCount, part === 0 ? room : 0);
      });
      if (first === undefined || second === undefined) throw new Error('two parts');
      const chunks = messageChunks([first, second], room, { rowCount, codec: codecOf(compression), metadata: its });
      expect(Buffer.compare(Buffer.concat(chunks), whole)).toBe(0);
      for (const [index, { bytes }] of [first, second].entries()) expect(chunks[index]?.buffer).toBe(bytes.buffer);
    }),
    { numRuns: 150 },
  );
});

it('has a bitmap only for columns with a null in the batch, and every buffer at a multiple of 64 bytes', () => {
  fc.assert(
    fc.property(batchCases, (batchCase) => {
      const batch = batchOf(streamOf(batchCase, 'NONE'));
      for (const column of batch.data.children) {
        const nulls = Array.from({ length: batch.numRows }, (_, row) => cellText(column, row)).filter((text) => text === 'null');
        expect(column.nullCount).toBe(nulls.length);
        expect((column.nullBitmap?.length ?? 0) > 0).toBe(nulls.length > 0 && column.type.typeId !== 1);
      }
    }),
  );
});

it('keeps every bit of 64-bit cells, those of signalling NaNs included, however hot the loop', () => {
  const patterns = [
    0x7ff0000000000001n,
    -0x10000000000000n + 1n,
    0x7ff8000000000001n,
    -0x7fffffffffffffffn,
    0x7ff7ffffffffffffn,
    -1n,
  ];
  const longs = BigInt64Array.from({ length: 4096 }, (_, index) => (patterns[index % patterns.length] ?? 0n) ^ BigInt(index & 7));
  const schema = arrowSchema([
    { id: 1, name: 'long', type: 'long', required: false },
    { id: 2, name: 'double', type: 'double', required: false },
  ]);
  const [long, double] = schema.fields;
  const columns = [
    makeData({ type: long?.type as never, length: 4096, data: longs } as never),
    makeData({ type: double?.type as never, length: 4096, data: new Float64Array(longs.buffer) } as never),
  ];
  const rows = Uint16Array.from({ length: 4096 }, (_, index) => (index * 1_237) % 4096);
  const encoder = new BatchEncoder(schema, 'NONE');
  const expected = Array.from(rows, (row) => longs[row]);
  for (let round = 0; round < 200; round++) {
    const pick = { block: 0, rows, from: 0, count: 4096, at: 0, stride: 1 };
    const message = encoder.encode([columns], [pick], 4096, metadata);
    if (round % 40 > 0) continue;
    const batch = batchOf(Buffer.concat([encoder.schemaMessage(), message, encoder.endMessage()]));
    const [first, second] = batch.data.children;
    expect(Array.from(first?.values as BigInt64Array)).toEqual(expected);
    const bits = second?.values as Float64Array;
    expect(Array.from(new BigInt64Array(bits.buffer, bits.byteOffset, bits.length))).toEqual(expected);
  }
});

it('puts runs of one row to their places, in whatever order they are picked', () => {
  const { schema, blocks } = batchCase(['string', 'binary', 'boolean'], 0, false, 5);
  const runs = [0, 2, 1].map((at) => ({ block: 0, rows: null, from: 0, count: 1, at, stride: 2 }));
  const one = { block: 0, rows: new Uint16Array([0, 0, 0]), from: 0, count: 3, at: 0, stride: 1 };
  const [byRuns, byRows] = [runs, [one]].map((picks) => new BatchEncoder(schema, 'NONE').encode(blocks, picks, 3, metadata));
  expect(byRuns).toEqual(byRows);
});

it('refuses picks that do not fill the batch', () => {
  const { schema, blocks } = batchCase(['int'], 0, false, 1);
  const pick = { block: 0, rows: null, from: 0, count: 1, at: 0, stride: 1 };
  expect(() => new BatchEncoder(schema, 'NONE').encode(blocks, [pick], 2, metadata)).toThrow(
    '1 rows were picked for a batch of 2',
  );
});

it('is read by pyarrow, in every compression, as pyarrow takes the same rows itself', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'icecore-batches-'));
  try {
    const random = fc.sample(batchCases, { numRuns: 60, seed: 20_261_123 });
    const plain = [...flatTypes.map((type, seed) => batchCase([type], 60, false, seed)), batchCase(flatTypes, 0, false, 7)];
    const large = batchCase(['string', 'double', 'boolean'], 5000, false, 3);
    for (const [index, batch] of [...plain, large, ...random].entries()) writeCase(join(folder, String(index)), batch);
    const python = pythonEnvironment(join(import.meta.dirname, '../python/arrow.lock'));
    expect(JSON.parse(output(python, [join(import.meta.dirname, 'compare_batches.py'), folder]))).toEqual({
      cases: plain.length + 1 + random.length,
      differences: [],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The blocks as streams of arrow-js, the rows that are picked of them, and the batch in every compression. */
function writeCase(folder: string, batchCase: BatchCase): void {
  const { schema, blocks, rows } = batchCase;
  mkdirSync(folder);
  writeFileSync(join(folder, 'rows.json'), JSON.stringify(rows));
  for (const [index, children] of blocks.entries()) {
    const length = children[0]?.length ?? 0;
    const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: [...children] });
    writeFileSync(join(folder, `block-${index}.arrows`), oneBatchStream(new RecordBatch(new Schema(schema.fields), data)));
  }
  for (const compression of ['NONE', 'LZ4', 'ZSTD'] as const) {
    writeFileSync(join(folder, `${compression}.arrows`), streamOf(batchCase, compression));
  }
}
