import type { Encoding } from './format.ts';
import type { ByteCursor } from './hybrid.ts';
import type { ValidityBits } from './validity-bits.ts';

/**
 * The values of one leaf in one row group, gathered page by page into the memory of an Arrow column. `V` is the kind itself: a dictionary
 * is gathered the same way as the pages that refer to it.
 */
export interface LeafValues<V> {
  /** Slots so far, those of nulls included. */
  readonly count: number;
  /** Makes room for `slots` more, and no more than the bytes at hand justify. */
  reserve(slots: number): void;
  /** Reads `count` values, one behind the other, into the first of the slots that are next. Throws where the encoding is none of theirs. */
  read(cursor: ByteCursor, encoding: Encoding, count: number): void;
  /** The same from a dictionary; all indexes are checked to be in it. */
  pick(dictionary: V, indexes: Int32Array, count: number): void;
  /** Ends the page: `slots` are filled, of which the last bits of `validity` (null for all) say which have the `count` values read. */
  finish(slots: number, validity: ValidityBits | null, count: number): void;
  /** Gives the memory back: nobody needs the values any more. */
  free(): void;
}
