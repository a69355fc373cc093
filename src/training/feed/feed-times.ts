import type { BatchSeconds } from './feed-worker-messages.ts';

/** Where the time of one batch went; what its groups took to be decoded is waited for, as far as they were not read ahead. */
export interface BatchTimes extends BatchSeconds {
  readonly waiting: number;
}

/** Where a feed's time goes, for its batches' metadata (docs/feed.md). */
export class FeedTimes {
  readonly #started = performance.now();
  #rows = 0;
  #seconds: BatchTimes = { waiting: 0, reading: 0, gathering: 0 };
  #sending = 0;

  add(rows: number, seconds: BatchTimes): void {
    this.#rows += rows;
    this.#seconds = {
      waiting: this.#seconds.waiting + seconds.waiting,
      reading: this.#seconds.reading + seconds.reading,
      gathering: this.#seconds.gathering + seconds.gathering,
    };
  }

  /** Of a batch, until its reader asked for the next. */
  taken(seconds: number): void {
    this.#sending += seconds;
  }

  /** Of the batches made so far. */
  metadata(): readonly (readonly [string, string])[] {
    const elapsed = (performance.now() - this.#started) / 1000;
    const rate = elapsed > 0 ? Math.round(this.#rows / elapsed) : 0;
    return [
      ['icecore.rows-per-second', String(rate)],
      ...Object.entries({ ...this.#seconds, sending: this.#sending }).map(
        ([name, seconds]) => [`icecore.seconds-${name}`, seconds.toFixed(3)] as const,
      ),
    ];
  }
}
