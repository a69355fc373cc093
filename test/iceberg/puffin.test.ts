import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NewBlob, readPuffin, writePuffin } from '../../src/iceberg/puffin.ts';

const blob = fc.record({
  type: fc.constantFrom('deletion-vector-v1', 'apache-datasketches-theta-v1'),
  fields: fc.array(fc.integer({ min: 1, max: 2_147_483_645 })),
  snapshotId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  sequenceNumber: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  properties: fc.dictionary(fc.string(), fc.string()),
  bytes: fc.uint8Array({ maxLength: 200 }),
});

describe('Puffin files', () => {
  test('reading gives the blobs that were written, where they lie', () => {
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 4 }), (given: readonly NewBlob[]) => {
        const { bytes, blobs } = writePuffin(given, { 'created-by': 'Icecore' });
        expect(readPuffin(bytes, 'a.puffin')).toEqual(blobs);
        for (const [index, { offset, length }] of blobs.entries()) {
          expect(bytes.subarray(Number(offset), Number(offset + length))).toEqual(Buffer.from(given[index]?.bytes ?? []));
        }
      }),
    );
  });

  test('what is cut off or changed is refused with the name of the file, or read as something whole', () => {
    const { bytes } = writePuffin(
      [
        {
          type: 'deletion-vector-v1',
          fields: [],
          snapshotId: -1n,
          sequenceNumber: -1n,
          properties: {},
          bytes: Buffer.from('vector'),
        },
      ],
      {},
    );
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readPuffin(bytes.subarray(0, length), 'a.puffin')).toThrow('The Puffin file a.puffin ');
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = Uint8Array.from(bytes);
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        try {
          readPuffin(damaged, 'a.puffin');
        } catch (error) {
          expect(String(error)).toContain('The Puffin file a.puffin ');
        }
      }),
    );
  });
});
