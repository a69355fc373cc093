import { setImmediate } from 'node:timers/promises';

/** Of those of this thread that have something to decode at hand. */
const busy = new Set<number>();
let begun = 0;

/** How often one gives way before a column: more often than the columns of another are apart. One whose reader tarries holds nobody up. */
const waysGivenMax = 64;

/**
 * The turn of a row group in the order in which those of this thread were begun: what has its bytes is decoded to its end, one after the
 * other, so that the first is done while the last is still on its way. If all took turns column by column, all would end together.
 */
export class DecodeTurn {
  readonly #number = begun++;

  /** Has something to decode; resolves when nobody before it has. Other work of the thread has its turn meanwhile. */
  async begin(): Promise<void> {
    busy.add(this.#number);
    for (let given = 0; given < waysGivenMax && this.#isBehind(); given++) await setImmediate();
  }

  /** Has nothing to decode for now. */
  end(): void {
    busy.delete(this.#number);
  }

  #isBehind(): boolean {
    for (const other of busy) if (other < this.#number) return true;
    return false;
  }
}
