import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parquetGapBytesMax, parquetRangeBytesMax } from '../../src/limits.ts';
import { coalesceRanges } from '../../src/parquet/coalesced-ranges.ts';

const range = fc
  .tuple(fc.nat({ max: 2 * parquetRangeBytesMax }), fc.oneof(fc.nat({ max: 100_000 }), fc.nat({ max: 2 * parquetRangeBytesMax })))
  .map(([start, length]) => ({ start, end: start + length }));

test('each wanted range lies in one request; requests are no larger than one range or the limit, and near ones are one', () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), (wanted) => {
      const requests = coalesceRanges(wanted);
      expect(requests.flatMap((request) => request.wanted).length).toBe(wanted.length);
      for (const request of requests) {
        expect(request.start).toBe(Math.min(...request.wanted.map(({ start }) => start)));
        expect(request.end).toBe(Math.max(...request.wanted.map(({ end }) => end)));
        const largest = Math.max(...request.wanted.map(({ start, end }) => end - start));
        expect(request.end - request.start).toBeLessThanOrEqual(Math.max(parquetRangeBytesMax, largest));
      }
      for (const [index, next] of requests.slice(1).entries()) {
        const before = requests[index] ?? next;
        const [first] = next.wanted;
        const joined = Math.max(before.end, first?.end ?? 0) - before.start;
        expect(next.start - before.end > parquetGapBytesMax || joined > parquetRangeBytesMax).toBe(true);
      }
    }),
  );
});
