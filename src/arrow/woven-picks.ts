import { type CellPick, isRuns, type RowPick } from './row-pick.ts';

/** Lanes are copied so many at a time: their places lie next to each other. */
export const lanesAtOnce = 4;

/**
 * Rows of as many lanes as `picks` has, in turns: the place `at + n * picks.length + lane` of the batch is row `picks[lane].from + n` of the
 * block of that pick, for n below `count`.
 */
export interface Weave {
  /** Of `count` rows each, in the order of their places. */
  readonly picks: readonly RowPick[];
  readonly at: number;
  readonly count: number;
}

export interface WovenPicks {
  /** In the order of their places. A multiple of four lanes each. */
  readonly weaves: readonly Weave[];
  /** All else. */
  readonly rest: readonly CellPick[];
}

/** Finds where the rows of lanes alternate, each lane's as they stand in its block: four of them are copied at the price of two. */
export function wovenPicks(picks: readonly CellPick[]): WovenPicks {
  const lanes = picks.find(isLane)?.stride ?? 0;
  if (lanes === 0) return { weaves: [], rest: picks };
  const isOfLanes = (pick: CellPick): pick is RowPick => isLane(pick) && pick.stride === lanes;
  const ofLane = Array.from({ length: lanes }, (): RowPick[] => []);
  const borders = new Set<number>();
  for (const pick of picks.filter(isOfLanes)) {
    ofLane[pick.at % lanes]?.push(pick);
    const turn = Math.floor(pick.at / lanes);
    borders.add(turn).add(turn + pick.count);
  }
  for (const lane of ofLane) lane.sort((one, other) => one.at - other.at);
  const turns = [...borders].sort((one, other) => one - other);
  const weaves: Weave[] = [];
  const rest = picks.filter((pick) => !isOfLanes(pick));
  for (const [index, turn] of turns.slice(0, -1).entries()) {
    const count = (turns[index + 1] ?? turn) - turn;
    const parts = ofLane.flatMap((lane, number) => partOf(lane, turn * lanes + number, count));
    if (parts.length === lanes) weaves.push({ picks: parts, at: turn * lanes, count });
    else rest.push(...parts);
  }
  return { weaves, rest };
}

function isLane(pick: CellPick): pick is RowPick {
  return !isRuns(pick) && pick.rows === null && pick.stride > 1 && pick.stride % lanesAtOnce === 0 && pick.count > 0;
}

/** The rows of a lane from a place on, where it has any: all of one pick, since no pick begins or ends between. Lets go of what lies before. */
function partOf(lane: RowPick[], at: number, count: number): readonly RowPick[] {
  while (lane[0] !== undefined && lane[0].at + lane[0].count * lane[0].stride <= at) lane.shift();
  const [pick] = lane;
  if (pick === undefined || pick.at > at) return [];
  return [{ ...pick, from: pick.from + (at - pick.at) / pick.stride, count, at }];
}
