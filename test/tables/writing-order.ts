import { Dice } from './mutation.ts';

/** What a process of writers is to do. */
export interface WritingOrder {
  readonly catalog: string;
  readonly directory: string;
  readonly table: string;
  readonly seed: number;
  /** Each goes on from this change of its own. */
  readonly writers: readonly { readonly writer: number; readonly from: number }[];
  readonly changesOfEach: number;
}

export interface WrittenRow {
  readonly id: number;
  readonly n: number;
}

export type Change =
  | { readonly kind: 'COMPACT' }
  | { readonly kind: 'EXPIRE' }
  | {
      readonly kind: 'WRITE';
      readonly mode: 'APPEND' | 'UPSERT' | 'DELETE';
      readonly rows: readonly (WrittenRow | { readonly id: number })[];
    };

/** Keys that several writers upsert. */
export const sharedFrom = 100_000;
export const appendedFrom = 1_000_000;

/** A writer's change of this number, the same whenever it is asked for. */
export function changeOf(seed: number, writer: number, number: number): Change {
  const dice = new Dice(seed + 7919 * writer + 104_729 * number);
  const n = writer * 1000 + number;
  const own = writer * 10 + dice.below(4);
  switch (dice.below(10)) {
    case 0:
    case 1:
    case 2:
      return { kind: 'WRITE', mode: 'APPEND', rows: [0, 1].map((index) => ({ id: appendedFrom + 2 * n + index, n })) };
    case 3:
    case 4:
    case 5:
      return { kind: 'WRITE', mode: 'UPSERT', rows: [{ id: own, n }] };
    case 6:
      return { kind: 'WRITE', mode: 'UPSERT', rows: [{ id: sharedFrom + dice.below(3), n }] };
    case 7:
      return { kind: 'WRITE', mode: 'DELETE', rows: [{ id: own }] };
    case 8:
      return { kind: 'COMPACT' };
    default:
      return { kind: 'EXPIRE' };
  }
}
