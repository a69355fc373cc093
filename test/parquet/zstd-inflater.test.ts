import { randomBytes } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inflatePage } from '../../src/parquet/page-codec.ts';
import { ZstdInflater } from '../../src/parquet/zstd-inflater.ts';

const content = Buffer.concat([randomBytes(30_000), Buffer.alloc(100_000, 'abc'), randomBytes(5000)]);
const frame = zstdCompressSync(content);

test('a frame is inflated into the memory that is given, which no public function of Node does: its own streams still are made so', () => {
  const inflater = new ZstdInflater();
  const target = Buffer.alloc(content.length + 10);
  for (let run = 0; run < 3; run++) {
    target.fill(0);
    expect(inflater.inflate(frame, target, content.length)).toBe(true);
    expect(target.subarray(0, content.length).equals(content)).toBe(true);
  }
});

test('frames of other sizes, cut short or damaged are refused, and what comes after them is whole', () => {
  const inflater = new ZstdInflater();
  const target = Buffer.alloc(content.length + 10);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.record({
          kind: fc.constant('size' as const),
          by: fc.integer({ min: -content.length, max: 9 }).filter((by) => by !== 0),
        }),
        fc.record({ kind: fc.constant('cut' as const), by: fc.integer({ min: 1, max: frame.length }) }),
        fc.record({ kind: fc.constant('tail' as const), by: fc.integer({ min: 1, max: 50 }) }),
      ),
      ({ kind, by }) => {
        const bad =
          kind === 'cut'
            ? frame.subarray(0, frame.length - by)
            : kind === 'tail'
              ? Buffer.concat([frame, Buffer.alloc(by)])
              : frame;
        expect(inflater.inflate(bad, target, kind === 'size' ? content.length + by : content.length)).toBe(false);
        target.fill(0);
        expect(inflater.inflate(frame, target, content.length)).toBe(true);
        expect(target.subarray(0, content.length).equals(content)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test('whatever its bytes became, a page is refused or as long as it says, and the next is whole', () => {
  const change = fc.record({ at: fc.nat({ max: frame.length - 1 }), to: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const damaged = Buffer.from(frame);
      for (const { at, to } of changes) damaged[at] = to;
      try {
        expect(inflatePage('ZSTD', damaged, content.length).length).toBe(content.length);
      } catch (error) {
        expect(String(error)).toMatch(/damaged/);
      }
      expect(Buffer.compare(inflatePage('ZSTD', frame, content.length), content)).toBe(0);
    }),
    { numRuns: 100 },
  );
});
