import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalLocation, liesUnder, parseLocation } from '../../src/storage/location.ts';

test.each([
  ['file:///w/t/a.parquet', 'file:///w/t/a.parquet'],
  ['file:/w/t/a.parquet', 'file:///w/t/a.parquet'],
  ['FILE:///w/t', 'file:///w/t'],
  ['/w/t/a.parquet', 'file:///w/t/a.parquet'],
  ['/w/./t//a/../b', 'file:///w/t/b'],
  ['file:///w/d=2001-01-01/x%3Dy #1?.parquet', 'file:///w/d=2001-01-01/x%3Dy #1?.parquet'],
  ['/w/a:b', 'file:///w/a:b'],
  ['s3://b/k/x%3Dy', 's3://b/k/x%3Dy'],
  ['s3a://b/k', 's3://b/k'],
  ['s3n://b/k//l', 's3://b/k//l'],
  ['s3://b', 's3://b/'],
])('%s is %s', (location, canonical) => {
  expect(canonicalLocation(location)).toBe(canonical);
});

test.each([
  '',
  'w/t',
  './w',
  '../w',
  'file:w',
  'file://host/w',
  'http://h/w',
  'gs://b/k',
  'C:\\w',
  's3:b/k',
  's3:///k',
  's3://b/../c',
  's3://b/a/./c',
  '/w\0',
])('%j is no location', (location) => {
  expect(() => parseLocation(location)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
});

test('a name that begins as the root does is not below it', () => {
  const under = (location: string, root: string) => liesUnder(parseLocation(location), parseLocation(root));
  expect(under('/w', '/w')).toBe(true);
  expect(under('/w/', '/w')).toBe(true);
  expect(under('/w/t', '/w')).toBe(true);
  expect(under('/wx', '/w')).toBe(false);
  expect(under('/w/../x', '/w')).toBe(false);
  expect(under('s3://b/w/t', 's3://b/w')).toBe(true);
  expect(under('s3://b/w/t', 's3://b/w/')).toBe(true);
  expect(under('s3://b/wx', 's3://b/w')).toBe(false);
  expect(under('s3://b/any', 's3://b')).toBe(true);
  expect(under('s3://c/w', 's3://b/w')).toBe(false);
  expect(under('/b/w', 's3://b/w')).toBe(false);
});

test('the canonical spelling is its own canonical spelling', () => {
  fc.assert(
    fc.property(fc.constantFrom('/', 'file:/', 'file:///', 's3://b/', 's3a://b/'), fc.string(), (start, rest) => {
      let once: string;
      try {
        once = canonicalLocation(start + rest);
      } catch {
        return;
      }
      expect(canonicalLocation(once)).toBe(once);
    }),
  );
});
