import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arrowBody, type EncodedEvent } from '../../src/http/arrow-body.ts';
import { arrowSmallBatchBytesMax, feedPieceBytes } from '../../src/limits.ts';
import { EncodedBatch, EncodedBatches } from '../../src/training/feed/encoded-batches.ts';

const [schemaMessage, endMessage] = [Uint8Array.of(1, 2, 3), Uint8Array.of(7, 8)];
const bytes = fc.constantFrom(0, 1, 1000, arrowSmallBatchBytesMax, arrowSmallBatchBytesMax + 1, feedPieceBytes + 5);
/** Of each batch, the bytes of its chunks. */
const batches = fc.array(fc.array(bytes, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 });
const memory = fc.constantFrom(1, 1024 ** 3);

it('writes all bytes of batches in chunks, large and small ones, and gives each back once', async () => {
  await fc.assert(
    fc.asyncProperty(batches, memory, async (sizes, bytesMax) => {
      const all = new EncodedBatches(bytesMax);
      const messages = sizes.map((chunks, batch) => chunks.map((size) => new Uint8Array(size).fill(10 + batch)));
      const sent: number[] = [];
      async function* events(): AsyncGenerator<EncodedEvent> {
        for (const [batch, chunks] of messages.entries()) {
          const source = { make: async () => chunks, recycle: () => sent.push(batch), rest: () => {} };
          const message = new EncodedBatch(all, chunks, source);
          yield { schemaMessage, endMessage, message, last: batch === messages.length - 1 };
          message.release();
        }
      }
      const written: Uint8Array[] = [];
      for await (const piece of arrowBody(events(), () => true)) written.push(Uint8Array.from(piece as Uint8Array));
      expect(Buffer.compare(Buffer.concat(written), Buffer.concat([schemaMessage, ...messages.flat(), endMessage]))).toBe(0);
      expect(new Set(sent).size).toBe(sent.length);
      expect(all.bytes).toBe(0);
    }),
    { numRuns: 30 },
  );
});

it('gives the event loop a turn between two pieces, also to a client that takes each at once', async () => {
  const all = new EncodedBatches(1024 ** 3);
  async function* events(): AsyncGenerator<EncodedEvent> {
    for (const last of [false, true]) {
      const chunks = [new Uint8Array(5 * feedPieceBytes)];
      const message = new EncodedBatch(all, chunks, { make: async () => chunks, recycle: () => {}, rest: () => {} });
      yield { schemaMessage, endMessage, message, last };
      message.release();
    }
  }
  let turns = 0;
  let counting = setImmediate(function count() {
    turns++;
    counting = setImmediate(count);
  });
  const turnsAtPieces: number[] = [];
  const client = new Writable({
    write(piece: Uint8Array, _, taken) {
      if (piece.byteLength === feedPieceBytes) turnsAtPieces.push(turns);
      taken();
    },
  });
  await pipeline(arrowBody(events()), client);
  clearImmediate(counting);
  expect(turnsAtPieces.length).toBe(10);
  expect(new Set(turnsAtPieces).size).toBe(10);
});
