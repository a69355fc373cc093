import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkIdentifier, parseIdentifier, printIdentifier } from '../../src/iceberg/identifier.ts';

test('an identifier is printed with quotes only where they are needed', () => {
  expect(printIdentifier({ namespace: ['raw'], name: 'flights' })).toBe('raw.flights');
  expect(printIdentifier({ namespace: ['a.b', 'say "x"'], name: 't' })).toBe('"a.b"."say ""x""".t');
});

test('print then parse is identity', () => {
  const part = fc.oneof(fc.constantFrom('a', '.', '"', '""', 'a.b', ' '), fc.string());
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), part, (namespace, name) => {
      expect(parseIdentifier(printIdentifier({ namespace, name }))).toEqual({ namespace, name });
    }),
  );
});

test.each(['', 'flights', 'a.', '.a', 'a..b', '"a.b', 'a"b.c', '"a"b.c'])('%j names no table', (text) => {
  expect(() => parseIdentifier(text)).toThrow(/does not name a table/);
});

test('an identifier that can be created is given back', () => {
  const identifier = { namespace: ['prod.eu', 'raw'], name: 'Flüge "2001"' };
  expect(checkIdentifier(identifier)).toBe(identifier);
});

test.each([
  ['..', 'a'],
  ['a', '.'],
  ['a', 'b/c'],
  ['a', 'b\\c'],
  ['a', 'b\u0000'],
  ['a', 'b\n'],
  ['a', '\ud800'],
  ['', 'a'],
  ['a', ' '],
  ['a', 'x'.repeat(129)],
])('%j.%j cannot be created', (namespace, name) => {
  expect(() => checkIdentifier({ namespace: [namespace], name })).toThrow(/cannot name a table/);
});

test('a table needs a namespace', () => {
  expect(() => checkIdentifier({ namespace: [], name: 'a' })).toThrow(/write namespace.table/);
});
