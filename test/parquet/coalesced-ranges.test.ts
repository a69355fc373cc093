import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parquetGapBytesMax, parquetRangeBytesMax } from '../../src/limits.ts';
import { coalesceRanges, readRanges } from '../../src/parquet/coalesced-ranges.ts';
import type { ByteRange } from '../../src/storage/storage.ts';
import { bytesFile } from './local-parquet.ts';

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

test('the bytes of each range are its own, whatever was requested with them', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  let requests = 0;
  const whole = bytesFile('file.parquet', bytes);
  const read = (requested: ByteRange) => {
    requests++;
    return whole.read(requested);
  };
  const wanted = [
    { start: 500, end: 600 },
    { start: 4, end: 10 },
    { start: 10, end: 20 },
    { start: 990, end: 1000 },
  ];
  const found = await readRanges({ ...whole, read }, wanted);
  for (const each of wanted) expect(found.get(each)).toEqual(bytes.subarray(each.start, each.end));
  expect(requests).toBe(1);
});

test('an aborted read sends no request', async () => {
  const unread = {
    ...bytesFile('file.parquet', new Uint8Array(10)),
    read: () => Promise.reject(new Error('nothing is to be read')),
  };
  await expect(readRanges(unread, [{ start: 0, end: 5 }], AbortSignal.abort())).rejects.toThrow(/aborted/);
});
