import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, textWidth } from '../../src/cli/text-width.ts';

describe('the width of a text in a terminal', () => {
  test.each([
    ['', 0],
    ['plain', 5],
    ['naïve', 5],
    ['nai\u0308ve', 5],
    ['東京', 4],
    ['ｱｲｳ', 3],
    ['ＡＢ', 4],
    ['한국어', 6],
    ['\u1112\u1161\u11ab', 2],
    ['日本—ok', 7],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['❤', 1],
    ['❤️', 2],
    ['a\u200bb', 2],
    ['…', 1],
  ])('%j takes %i columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  test('is not counted further than asked for', () => {
    expect(textWidth('東'.repeat(100_000), 10)).toBe(12);
  });
});

describe('cutting a text', () => {
  test('replaces the end, and keeps together what belongs together', () => {
    expect(cutText('Washington', 10)).toBe('Washington');
    expect(cutText('Washington', 5)).toBe('Wash…');
    expect(cutText('東京都', 4)).toBe('東…');
    expect(cutText('a👩‍👩‍👧b', 3)).toBe('a…');
    expect(cutText('anything', 0)).toBe('');
  });

  test('gives what fits, and leaves alone what does', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(text, fc.nat(30), (given, width) => {
        const cut = cutText(given, width);
        expect(textWidth(cut)).toBeLessThanOrEqual(width);
        if (textWidth(given) <= width) expect(cut).toBe(given);
        else if (width > 0) expect(given.startsWith(cut.slice(0, -1))).toBe(true);
      }),
    );
  });
});
