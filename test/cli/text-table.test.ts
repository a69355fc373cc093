import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textTable } from '../../src/cli/text-table.ts';
import { textWidth } from '../../src/cli/text-width.ts';

const columns = [
  { name: 'city', isNumeric: false },
  { name: 'flights', isNumeric: true },
  { name: 'note', isNumeric: false },
];
const cells = (...texts: readonly string[]) => texts.map((text) => ({ text }));
const file = { width: null, isStyled: false };

describe('a table of text', () => {
  test('is aligned, numbers at the right, whatever the script', () => {
    const rows = [cells('東京', '7', 'x'), cells('Reykjavík', '9007199254740993', '')];
    expect(textTable(columns, rows, file)).toBe(
      [
        'city                flights  note',
        '─────────  ────────────────  ────',
        '東京                      7  x',
        'Reykjavík  9007199254740993',
        '',
      ].join('\n'),
    );
  });

  test('cuts texts to the width of a terminal, and no numbers', () => {
    const rows = [cells('Washington Dulles International', '9007199254740993', 'a long note about it')];
    expect(textTable(columns, rows, { width: 40, isStyled: false })).toBe(
      [
        'city                 flights  note',
        '──────────  ────────────────  ──────────',
        'Washingto…  9007199254740993  a long no…',
        '',
      ].join('\n'),
    );
  });

  test('names the columns that do not fit', () => {
    const rows = [cells('Washington', '9007199254740993', 'a note')];
    const text = textTable(columns, rows, { width: 20, isStyled: false });
    expect(text).toBe(['city', '──────────', 'Washington', '2 more columns that did not fit: flights, note', ''].join('\n'));
  });

  test('dims what is asked for where the terminal can, without moving anything', () => {
    const rows = [[{ text: 'null', isDim: true }, { text: '1' }, { text: 'x' }]];
    const styled = textTable(columns, rows, { width: 80, isStyled: true });
    expect(styled).toContain('\u001b[2mnull\u001b[22m  ');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken away
    expect(styled.replace(/\u001b\[\d+m/g, '')).toBe(textTable(columns, rows, { width: 80, isStyled: false }));
  });

  test('of any shape fits any terminal', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 });
    const shape = fc.integer({ min: 1, max: 6 }).chain((count) =>
      fc.record({
        numeric: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
        rows: fc.array(fc.array(texts, { minLength: count, maxLength: count }), { maxLength: 5 }),
        width: fc.integer({ min: 4, max: 60 }),
      }),
    );
    fc.assert(
      fc.property(shape, ({ numeric, rows, width }) => {
        const table = textTable(
          numeric.map((isNumeric, index) => ({ name: `c${index}`, isNumeric })),
          rows.map((row) => cells(...row)),
          { width, isStyled: false },
        );
        const lines = table.split('\n').slice(0, rows.length + 2);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
