import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parquetAheadBytesMax,
  parquetGapBytesMax,
  parquetRangeBytesMax,
  parquetUnderWayBytesMax,
  storageRequestsMax,
} from '../../src/limits.ts';
import type { ParquetFile } from '../../src/parquet/file-metadata.ts';
import { RangeReadAhead } from '../../src/parquet/range-read-ahead.ts';
import { RequestTurns } from '../../src/parquet/request-turns.ts';
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

/** `count` ranges of the size of a request each, too far from each other to be joined. */
function large(count: number): readonly ByteRange[] {
  return Array.from({ length: count }, (_, index) => {
    const start = index * (parquetRangeBytesMax + far);
    return { start, end: start + parquetRangeBytesMax };
  });
}

test('no more bytes are under way or lie unreleased than the limits say, and no more requests are under way', async () => {
  const [underWay, unreleased] = [parquetUnderWayBytesMax, parquetAheadBytesMax].map((bytes) => bytes / parquetRangeBytesMax);
  const wanted = large(2 * (unreleased ?? 0));
  const slow = new SlowFile(hugeFile(10 * parquetAheadBytesMax));
  const ahead = new RangeReadAhead(slow, wanted, undefined, new RequestTurns());
  expect(slow.underWay).toBe(underWay);
  while (slow.underWay > 0) {
    slow.answer(1);
    await setImmediate();
    expect(slow.underWay).toBeLessThanOrEqual(underWay ?? 0);
  }
  expect(slow.requested.length).toBe(unreleased);
  for (const each of wanted.slice(0, 2)) await ahead.bytesOf(each);
  for (const each of wanted.slice(0, 2)) ahead.release(each);
  expect(slow.requested.length).toBe((unreleased ?? 0) + 2);

  const many = Array.from({ length: 3 * storageRequestsMax }, (_, index) => ({
    start: index * 2 * far,
    end: index * 2 * far + 5,
  }));
  const busy = new SlowFile(hugeFile(100 * far));
  new RangeReadAhead(busy, many, undefined, new RequestTurns());
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
  const ahead = new RangeReadAhead(slow, wanted, undefined, new RequestTurns());
  const bytes = ahead.bytesOf(wanted[1]);
  // As soon as what is under way is there.
  while (slow.underWay > 0) {
    slow.answer(1);
    await setImmediate();
  }
  expect(slow.requested.at(-1)).toEqual(wanted[1]);
  expect((await bytes).length).toBe(7);
});

test('of several readers the first has its bytes requested first, whoever asks; where it wants no more, the next does', async () => {
  const turns = new RequestTurns();
  const underWay = parquetUnderWayBytesMax / parquetRangeBytesMax;
  const wanted = large(underWay + 2);
  const [first, second] = [1, 2].map(() => new SlowFile(hugeFile(parquetAheadBytesMax * 2)));
  if (first === undefined || second === undefined) throw new Error('there are two');
  const readers = [first, second].map((file) => new RangeReadAhead(file, wanted, undefined, turns));
  const bytes = readers[1]?.bytesOf(wanted[0] as ByteRange);
  expect([first.underWay, second.underWay]).toEqual([underWay, 0]);
  first.answer(1);
  await setImmediate();
  expect([first.underWay, second.underWay]).toEqual([underWay, 0]);
  first.answer(2);
  await setImmediate();
  expect([first.underWay, second.underWay]).toEqual([underWay - 1, 1]);
  second.answer(1);
  expect((await bytes)?.length).toBe(parquetRangeBytesMax);
  // One that is closed makes room as its requests end.
  readers[0]?.close();
  first.answer(first.underWay);
  await setImmediate();
  expect(second.underWay).toBe(underWay);
});

test('a large range has its turn though small ones of others would always find room', async () => {
  const turns = new RequestTurns();
  const small = new SlowFile(hugeFile(100 * far));
  const ranges = Array.from({ length: 6 }, (_, index) => ({ start: index * 2 * far, end: index * 2 * far + 5 }));
  new RangeReadAhead(small, ranges.slice(0, 1), undefined, turns);
  const large = new SlowFile(hugeFile(2 * parquetUnderWayBytesMax));
  new RangeReadAhead(large, [{ start: 0, end: parquetUnderWayBytesMax + 1 }], undefined, turns);
  const later = new SlowFile(hugeFile(100 * far));
  new RangeReadAhead(later, ranges, undefined, turns);
  expect([small.underWay, large.underWay, later.underWay]).toEqual([1, 0, 0]);
  small.answer(1);
  await setImmediate();
  expect(large.underWay).toBeGreaterThan(0);
  expect(later.underWay).toBe(0);
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
