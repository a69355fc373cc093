import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parquetAheadBytesMax, parquetGapBytesMax, parquetRangeBytesMax, storageRequestsMax } from '../../src/limits.ts';
import type { ParquetFile } from '../../src/parquet/file-metadata.ts';
import { RangeReadAhead } from '../../src/parquet/range-read-ahead.ts';
import type { ByteRange } from '../../src/storage/storage.ts';
import { bytesFile } from './local-parquet.ts';
import { SlowFile } from './slow-file.ts';

/** Of any size, all of zeros. */
function hugeFile(sizeBytes: number): ParquetFile {
  const shared = new Uint8Array(parquetAheadBytesMax + 1);
  return { location: 'huge.parquet', sizeBytes, read: async ({ start, end }) => shared.subarray(0, end - start) };
}

const far = parquetGapBytesMax + 1;

test('the bytes of each range are its own, whatever was requested with them and whenever they are asked for', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
  const file = bytesFile('file.parquet', bytes);
  const range = fc.tuple(fc.nat({ max: 1000 }), fc.nat({ max: 1000 })).map(([a, b]) => ({
    start: Math.min(a, b),
    end: Math.max(a, b),
  }));
  await fc.assert(
    fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.double()), async (wanted, order) => {
      const ahead = new RangeReadAhead(file, wanted);
      const ranks = new Map(wanted.map((each) => [each, order.next().value as number]));
      for (const each of wanted.toSorted((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))) {
        expect(await ahead.bytesOf(each)).toEqual(bytes.subarray(each.start, each.end));
        ahead.release(each);
      }
    }),
  );
});

test('near ranges are one request, and all are under way at once', () => {
  const slow = new SlowFile(hugeFile(10 * far));
  new RangeReadAhead(slow, [
    { start: 500, end: 600 },
    { start: 4, end: 10 },
    { start: 2 * far, end: 2 * far + 10 },
    { start: 10, end: 20 },
  ]);
  expect(slow.requested).toEqual([
    { start: 4, end: 600 },
    { start: 2 * far, end: 2 * far + 10 },
  ]);
  expect(slow.underWay).toBe(2);
});

test('no more bytes lie unreleased than the limit says, and no more requests are under way', async () => {
  const size = parquetRangeBytesMax;
  const fitting = parquetAheadBytesMax / size;
  const large = Array.from({ length: 2 * fitting }, (_, index) => ({
    start: index * (size + far),
    end: index * (size + far) + size,
  }));
  const slow = new SlowFile(hugeFile(10 * parquetAheadBytesMax));
  const ahead = new RangeReadAhead(slow, large);
  expect(slow.underWay).toBe(fitting);
  slow.answer(fitting);
  for (const each of large.slice(0, 2)) await ahead.bytesOf(each);
  await setImmediate();
  expect(slow.requested.length).toBe(fitting);
  for (const each of large.slice(0, 2)) ahead.release(each);
  expect(slow.requested.length).toBe(fitting + 2);

  const many = Array.from({ length: 3 * storageRequestsMax }, (_, index) => ({
    start: index * 2 * far,
    end: index * 2 * far + 5,
  }));
  const busy = new SlowFile(hugeFile(100 * far));
  new RangeReadAhead(busy, many);
  expect(busy.underWay).toBe(storageRequestsMax);
  busy.answer(3);
  await setImmediate();
  expect(busy.underWay).toBe(storageRequestsMax);
  expect(busy.requested.length).toBe(storageRequestsMax + 3);
});

test('what is asked for before its turn is requested though there is no room, so that nobody waits for ever', async () => {
  const whole = parquetAheadBytesMax;
  const wanted = [
    { start: 0, end: whole },
    { start: whole + far, end: whole + far + 7 },
  ] as const;
  const slow = new SlowFile(hugeFile(3 * whole));
  const ahead = new RangeReadAhead(slow, wanted);
  const first = slow.requested.length;
  expect(slow.requested.at(-1)?.end).toBe(whole);
  const bytes = ahead.bytesOf(wanted[1]);
  expect(slow.requested.at(-1)).toEqual(wanted[1]);
  slow.answer(first + 1);
  expect((await bytes).length).toBe(7);
});

test('an aborted reading sends no request, and ends the waiting for those that were sent', async () => {
  const wanted = [{ start: 0, end: 5 }];
  const slow = new SlowFile(bytesFile('file.parquet', new Uint8Array(10)));
  const aborted = new RangeReadAhead(slow, wanted, AbortSignal.abort());
  await expect(aborted.bytesOf(wanted[0] as ByteRange)).rejects.toThrow(/aborted/);
  expect(slow.requested).toEqual([]);
  const controller = new AbortController();
  const waiting = new RangeReadAhead(slow, wanted, controller.signal).bytesOf(wanted[0] as ByteRange);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(slow.underWay).toBe(1);
});

test('what a request throws is thrown to who asks for its bytes, at any time later', async () => {
  const failing = { location: 'file.parquet', sizeBytes: 10, read: () => Promise.reject(new Error('no such bucket')) };
  const wanted = { start: 0, end: 5 };
  const ahead = new RangeReadAhead(failing, [wanted]);
  await setImmediate();
  await expect(ahead.bytesOf(wanted)).rejects.toThrow('no such bucket');
});
