import { expect, test } from 'vitest';
import { parquetKeptBytesMax } from '../../src/limits.ts';
import { freeBytes, newBytes } from '../../src/parquet/memory.ts';

test('memory that is freed is used again, and whoever still had it has nothing', () => {
  const first = newBytes(1_000_000);
  expect([first.length, first.byteOffset]).toEqual([1_000_000, 0]);
  first.fill(7);
  freeBytes(first);
  expect(first.length).toBe(0);
  const second = newBytes(999_999);
  expect(second.length).toBe(999_999);
  expect(new Set(second)).toEqual(new Set([7]));
  // Once alone.
  freeBytes(first);
  expect(newBytes(999_999).buffer).not.toBe(second.buffer);
  freeBytes(second);
});

test('memory of which the caller has a part is left alone', () => {
  const shared = new Uint8Array(100_000).fill(1);
  freeBytes(shared.subarray(0, 90_000));
  freeBytes(shared.subarray(50_000));
  expect(shared.length).toBe(100_000);
  freeBytes(shared);
  expect(shared.length).toBe(0);
});

test('no more is kept than the limit says', () => {
  const size = parquetKeptBytesMax / 8;
  const many = Array.from({ length: 12 }, () => newBytes(size).fill(9));
  for (const bytes of many) freeBytes(bytes);
  const again = Array.from({ length: 12 }, () => newBytes(size));
  const reused = again.filter((bytes) => bytes[0] === 9 && bytes[size - 1] === 9);
  expect(reused.length).toBeGreaterThan(0);
  expect(reused.length).toBeLessThanOrEqual(8);
  for (const bytes of again) freeBytes(bytes);
});
