import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CellPick, RowPick } from '../../src/arrow/row-pick.ts';
import { lanesAtOnce, wovenPicks } from '../../src/arrow/woven-picks.ts';

/** Of each lane, how long its runs are; they begin anywhere in their blocks. */
const lanePicks = fc
  .record({
    lanes: fc.constantFrom(2, 4, 8, 64),
    runs: fc.array(fc.record({ lane: fc.nat({ max: 63 }), count: fc.integer({ min: 1, max: 9 }), from: fc.nat({ max: 99 }) }), {
      maxLength: 120,
    }),
    first: fc.nat({ max: 20 }),
    isReversed: fc.boolean(),
  })
  .map(({ lanes, runs, first, isReversed }) => {
    const next = Array.from({ length: lanes }, (_, lane) => first + lane);
    const picks = runs.map(({ lane, count, from }, block): RowPick => {
      const at = next[lane % lanes] ?? 0;
      next[lane % lanes] = at + count * lanes;
      return { block, rows: null, from, count, at, stride: lanes };
    });
    return isReversed ? picks.toReversed() : picks;
  });

/** "block row" by place. */
function spelt(picks: readonly CellPick[]): ReadonlyMap<number, string> {
  const cells = new Map<number, string>();
  for (const pick of picks) {
    if ('starts' in pick) continue;
    for (let index = 0; index < pick.count; index++) {
      const place = pick.at + index * pick.stride;
      expect(cells.has(place)).toBe(false);
      cells.set(place, `${pick.block} ${pick.rows === null ? pick.from + index : pick.rows[pick.from + index]}`);
    }
  }
  return cells;
}

it('puts every row where its pick does, whatever is woven', () => {
  fc.assert(
    fc.property(lanePicks, (picks) => {
      const { weaves, rest } = wovenPicks(picks);
      expect(spelt([...weaves.flatMap(({ picks }) => picks), ...rest])).toEqual(spelt(picks));
      for (const { picks, at, count } of weaves) {
        expect(picks.length % lanesAtOnce).toBe(0);
        for (const [lane, pick] of picks.entries()) expect(pick).toMatchObject({ at: at + lane, count, stride: picks.length });
      }
    }),
  );
});

it('weaves all of lanes that begin and end together', () => {
  const picks = Array.from({ length: 8 }, (_, lane) => ({ block: lane, rows: null, from: 3, count: 5, at: lane, stride: 8 }));
  expect(wovenPicks(picks)).toEqual({ weaves: [{ picks, at: 0, count: 5 }], rest: [] });
});

it('leaves rows that are picked one by one, and two lanes, as they are', () => {
  const rows = Uint16Array.of(3, 1);
  const picks = [0, 1, 2, 3].map((lane) => ({ block: 0, rows: lane < 2 ? rows : null, from: 0, count: 2, at: lane, stride: 4 }));
  const { weaves, rest } = wovenPicks(picks);
  expect(weaves).toEqual([]);
  expect(spelt(rest)).toEqual(spelt(picks));
  const two = [0, 1].map((lane) => ({ block: lane, rows: null, from: 0, count: 2, at: lane, stride: 2 }));
  expect(wovenPicks(two)).toEqual({ weaves: [], rest: two });
});
