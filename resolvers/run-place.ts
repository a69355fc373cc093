import { IcecoreError } from '../src/errors.ts';
import type { Run } from '../src/runs/run.ts';

export type RunPlace = Pick<Run, 'id' | 'startedAtMicros'>;

/** Where a run stands in a list that goes from the newest to the oldest. */
export function runKey({ id, startedAtMicros }: RunPlace): string {
  return `${startedAtMicros}/${id}`;
}

export function runPlaceOf(key: string | null): RunPlace | null {
  if (key === null) return null;
  const match = /^(-?\d{1,19})\/(.+)$/.exec(key);
  if (match === null)
    throw new IcecoreError('BAD_USER_INPUT', 'The cursor is of another list: take one from this list’s pageInfo.');
  return { startedAtMicros: BigInt(match[1] ?? 0), id: match[2] ?? '' };
}
