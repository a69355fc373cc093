import { Field, Float64, List, makeData, Utf8 } from 'apache-arrow';
import { expect, test } from 'vitest';
import { parquetKeptBytesMax } from '../../src/limits.ts';
import { freeBytes, freeColumn, newBytes } from '../../src/parquet/memory.ts';
import { nullColumn } from '../../src/parquet/null-column.ts';

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

test('a column that is given back is empty, and columns without cells or nulls can be made and given back again and again', () => {
  for (let run = 0; run < 3; run++) {
    for (const length of [0, 3, 100_000]) {
      const data = makeData({ type: new Float64(), length, nullCount: 0, data: new Float64Array(length).fill(run) });
      expect([data.length, data.nullCount, data.values.length]).toEqual([length, 0, length]);
      freeColumn(data);
      expect(data.values.length).toBe(0);
      freeColumn(data);
      freeColumn(nullColumn(new List(new Field('element', new Utf8(), true)), length));
    }
  }
});
