import fc from 'fast-check';
import { expect, test } from 'vitest';
import { feedPieceBytes } from '../../../src/limits.ts';
import { EncodedBatch, EncodedBatches } from '../../../src/training/feed/encoded-batches.ts';
import { chunksBytes, joinedChunks, restOfChunk } from '../../../src/training/feed/message-chunks.ts';

const lengths = fc.array(fc.nat(50), { minLength: 1, maxLength: 5 });

/** Chunks of so many bytes, no two bytes near each other alike, and in each chunk's memory something before it. */
function chunksOf(sizes: readonly number[]): readonly Uint8Array[] {
  let next = 0;
  return sizes.map((size) => {
    const memory = new Uint8Array(size + 7);
    for (let at = 7; at < memory.length; at++) memory[at] = next++ % 251;
    return memory.subarray(7);
  });
}

test('from any byte on, chunk by chunk, they are the bytes of the whole', () => {
  fc.assert(
    fc.property(lengths, (sizes) => {
      const chunks = chunksOf(sizes);
      const whole = joinedChunks(chunks);
      expect(whole.byteLength).toBe(chunksBytes(chunks));
      expect(whole).toEqual(new Uint8Array(Buffer.concat(chunks)));
      const pieces: Uint8Array[] = [];
      for (let from = 0; from < whole.byteLength; from += pieces.at(-1)?.byteLength ?? 0) pieces.push(restOfChunk(chunks, from));
      expect(Buffer.compare(Buffer.concat(pieces), whole)).toBe(0);
    }),
  );
});

const sizes = [feedPieceBytes + 3, 0, 1, feedPieceBytes * 2] as const;

async function piecesOf(message: EncodedBatch): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < message.byteLength; from += pieces.at(-1)?.byteLength ?? 0) pieces.push(await message.piece(from));
  return pieces;
}

test('an encoded batch in chunks is given piece by piece without a copy, and its memory is given back once it is sent', async () => {
  const chunks = chunksOf(sizes);
  const recycled: (readonly Uint8Array[])[] = [];
  const source = { make: async () => chunks, recycle: (given: readonly Uint8Array[]) => recycled.push(given), rest: () => {} };
  const message = new EncodedBatch(new EncodedBatches(1024 ** 3), chunks, source);
  const pieces = await piecesOf(message);
  expect(Buffer.compare(Buffer.concat(pieces), joinedChunks(chunks))).toBe(0);
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([feedPieceBytes, 3, 1, feedPieceBytes, feedPieceBytes]);
  const memory = new Set(chunks.map(({ buffer }) => buffer));
  expect(pieces.every(({ buffer }) => memory.has(buffer as ArrayBuffer))).toBe(true);
  expect(recycled).toEqual([]);
  message.sent();
  expect(recycled).toEqual([chunks]);
});

test('where memory is scarce pieces are small copies, and one that was let go is made again', async () => {
  const chunks = chunksOf(sizes);
  const all = new EncodedBatches(1024);
  let made = 0;
  const make = async () => {
    made++;
    return chunksOf(sizes);
  };
  const message = new EncodedBatch(all, chunks, { make, recycle: () => {}, rest: () => {} });
  const first = await message.piece(0);
  expect(first.byteLength).toBe(feedPieceBytes);
  expect(chunks.some(({ buffer }) => buffer === first.buffer)).toBe(false);
  expect(message.drop()).toBe(true);
  expect(all.bytes).toBe(0);
  expect(Buffer.compare(Buffer.concat(await piecesOf(message)), joinedChunks(chunks))).toBe(0);
  expect(made).toBe(1);
});

test('all of it at once is the caller’s, and is joined once', async () => {
  const chunks = chunksOf(sizes);
  let recycled = 0;
  const source = { make: async () => chunks, recycle: () => recycled++, rest: () => {} };
  const message = new EncodedBatch(new EncodedBatches(1024 ** 3), chunks, source);
  const bytes = await message.bytes();
  expect(Buffer.compare(bytes, Buffer.concat(chunks))).toBe(0);
  expect(await message.bytes()).toBe(bytes);
  message.sent();
  expect(recycled).toBe(0);
});
