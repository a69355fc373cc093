import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { parquetRangeBytesMax } from '../../src/limits.ts';
import type { ParquetFile } from '../../src/parquet/file-metadata.ts';
import { readRange } from '../../src/parquet/range-read.ts';
import { SlowFile } from './slow-file.ts';

/** Each byte says where it lies; `fills` where the store writes to memory that it is given. */
function countingFile(sizeBytes: number, fills: boolean): ParquetFile {
  return {
    location: 'counting.parquet',
    sizeBytes,
    async read({ start, end }, into) {
      const bytes = fills && into !== undefined ? into : new Uint8Array(end - start);
      for (let index = 0; index < bytes.length; index += 4093) bytes[index] = (start + index) % 251;
      return bytes.subarray(0, Math.min(end, sizeBytes) - start);
    },
  };
}

test('a long range is read by several requests at once, each of a part, and is whole', async () => {
  const size = 3 * parquetRangeBytesMax + 1000;
  for (const fills of [true, false]) {
    const slow = new SlowFile(countingFile(size + 10, fills));
    const reading = readRange(slow, { start: 10, end: size + 10 });
    expect(slow.requested.map(({ end, start }) => end - start)).toEqual([...Array(3).fill(parquetRangeBytesMax), 1000]);
    expect(slow.underWay).toBe(4);
    slow.answer(4);
    const bytes = await reading;
    expect(bytes.length).toBe(size);
    for (let part = 0; part < 4; part++) {
      for (const at of [0, 4093].map((offset) => part * parquetRangeBytesMax + offset).filter((place) => place < size)) {
        if (part < 3 || at === part * parquetRangeBytesMax) expect(bytes[at]).toBe((at + 10) % 251);
      }
    }
  }
});

test('where one part fails the others that wait are not requested', async () => {
  const failing: ParquetFile = {
    location: 'failing.parquet',
    sizeBytes: 1e9,
    read: () => Promise.reject(new Error('no such key')),
  };
  const slow = new SlowFile(failing);
  const reading = readRange(slow, { start: 0, end: 10 * parquetRangeBytesMax });
  const { length } = slow.requested;
  expect(length).toBeLessThan(10);
  slow.answer(1);
  await expect(reading).rejects.toThrow('no such key');
  slow.answer(length);
  await setImmediate();
  expect(slow.requested.length).toBe(length);
});

test('a file that is shorter than it says is named', async () => {
  await expect(readRange(countingFile(100, false), { start: 50, end: 150 })).rejects.toThrow(/counting\.parquet.*shorter/);
});
