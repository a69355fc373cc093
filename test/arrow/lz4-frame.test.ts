import fc from 'fast-check';
import { decompressFrameSync } from 'lz4-napi';
import { expect, it } from 'vitest';
import { compressLz4Block, compressLz4Frame, lz4FrameBytesMax } from '../../src/arrow/lz4-frame.ts';
import { inflateLz4 } from '../../src/parquet/lz4.ts';
import { PageMemory } from '../../src/parquet/page-memory.ts';
import { randomOf } from './random-column.ts';

/** From noise to one byte over and over. */
const sources = fc
  .record({
    length: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 3000 }), fc.constantFrom(65_535, 65_536, 65_537, 200_000)),
    symbols: fc.constantFrom(1, 2, 7, 256),
    repeats: fc.constantFrom(0, 2, 20),
    seed: fc.nat(),
  })
  .map(({ length, symbols, repeats, seed }) => {
    const random = randomOf(seed);
    const bytes = Uint8Array.from({ length }, () => random(symbols));
    for (let repeat = 0; repeat < repeats && length > 10; repeat++)
      bytes.copyWithin(random(length), random(length), random(length));
    return bytes;
  });

it('gives frames that another reader inflates to the same bytes', () => {
  fc.assert(
    fc.property(sources, (source) => {
      const target = new Uint8Array(lz4FrameBytesMax(source.length));
      const frame = target.subarray(0, compressLz4Frame(source, target));
      expect(Buffer.compare(decompressFrameSync(Buffer.from(frame)), source)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

it('gives blocks that our own reader inflates to the same bytes, and never writes beyond its room', () => {
  fc.assert(
    fc.property(sources, fc.double({ min: 0, max: 1.1, noNaN: true }), (source, share) => {
      const block = source.subarray(0, 65_536);
      const room = Math.floor(block.length * share);
      const target = new Uint8Array(room + 100).fill(0xa5);
      const length = compressLz4Block(block, target.subarray(0, room));
      expect(target.subarray(room).every((byte) => byte === 0xa5)).toBe(true);
      if (length !== null)
        expect(Buffer.compare(inflateLz4(target.subarray(0, length), block.length, new PageMemory()), block)).toBe(0);
    }),
    { numRuns: 300 },
  );
});
