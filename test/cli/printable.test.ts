import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLines } from '../../src/cli/printable.ts';

test('what would draw on the terminal is spelled out', () => {
  expect(printable('a\nb\tc')).toBe('a\\nb\\tc');
  expect(printable('\u001b[2J\u0007')).toBe('\\u001b[2J\\u0007');
  expect(printable('\u009b31m')).toBe('\\u009b31m');
  expect(printable('user\u202egnp.exe')).toBe('user\\u202egnp.exe');
  expect(printable('\ud800')).toBe('\\ud800');
  expect(printable('東京 👩‍👩‍👧 naïve')).toBe('東京 👩‍👩‍👧 naïve');
  expect(printableLines('two\r\nlines\u001b')).toBe('two\nlines\\u001b');
});

test('nothing of the kind is left of any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});
