import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slackBytes, TextEntries } from '../../src/parquet/text-entries.ts';

test('texts of a dictionary, short or long, are copied to where they begin, one behind the other', () => {
  const longest = fc.constantFrom(0, 1, 15, 16, 17, 40, 128, 129, 400);
  fc.assert(
    fc.property(
      longest.chain((maxLength) => fc.array(fc.uint8Array({ maxLength }), { minLength: 1, maxLength: 20 })),
      fc.array(fc.nat(), { maxLength: 50 }),
      fc.nat({ max: 30 }),
      fc.constantFrom(0, 1_000_000),
      (texts, picks, before, copies) => {
        const offsets = new Int32Array(texts.length + 1);
        for (const [index, text] of texts.entries()) offsets[index + 1] = (offsets[index] as number) + text.length;
        const bytes = Buffer.concat([...texts, Buffer.alloc(slackBytes, 0xee)]);
        const entries = new TextEntries({ offsets, bytes, count: texts.length }, copies);
        const indexes = Int32Array.from(picks, (pick) => pick % texts.length);
        const expected = Buffer.concat(Array.from(indexes, (index) => texts[index] ?? new Uint8Array()));
        const starts = new Int32Array(picks.length + 1).fill(before);
        for (const [at, index] of indexes.entries()) starts[at + 1] = (starts[at] as number) + (texts[index]?.length ?? 0);
        const target = new Uint8Array(before + expected.length + slackBytes).fill(0xaa);
        entries.copy(indexes, indexes.length, target, starts);
        entries.free();
        expect(target.subarray(0, before)).toEqual(new Uint8Array(before).fill(0xaa));
        expect(Buffer.compare(target.subarray(before, before + expected.length), expected)).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
