import { feedMakersLookMs, feedMakersMax } from '../../limits.ts';

/** A feed whose making takes less of a thread's time than this has enough of one; with several, less than the second. */
const oneIsShort = 0.85;
const oneIsEnough = 0.6;
/** A count is kept until another one fits by more than half: to change it costs the blocks that are in memory. */
const change = 0.6;

/** A thread: seconds of work that it has done so far, whatever that was. */
export interface BusyThread {
  readonly busySeconds: number;
}

interface Look {
  readonly ms: number;
  readonly busySeconds: number;
}

/**
 * How many threads make a batch of a feed: one as long as that keeps up with its reader, or as long as the others are busy, with other
 * feeds or groups. Looked at once a second, since each of the threads has the blocks of its columns in memory.
 */
export class MakersCount {
  #count: number;
  #looked: Look | null = null;
  #worked = 0;

  /** Of the first second. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Seconds that threads worked for this feed, each on its own. */
  worked(seconds: number): void {
    this.#worked += seconds;
  }

  /** For the next batch. `isIdle` says that none of this feed is being made. */
  of(workers: readonly BusyThread[], isIdle: boolean, nowMs = performance.now()): number {
    const look = { ms: nowMs, busySeconds: workers.reduce((sum, { busySeconds }) => sum + busySeconds, 0) };
    const before = this.#looked;
    // What threads do before the first batch is to begin.
    if (!isIdle || this.#worked === 0 || nowMs < (before?.ms ?? Number.NEGATIVE_INFINITY) + feedMakersLookMs) return this.#count;
    if (before !== null) {
      const seconds = (nowMs - before.ms) / 1000;
      const own = this.#worked / seconds;
      const others = Math.max(0, (look.busySeconds - before.busySeconds) / seconds - own);
      this.#count = countFor(this.#count, own, workers.length - others);
    }
    this.#looked = look;
    this.#worked = 0;
    return this.#count;
  }
}

/** `own` and `free` are in threads: what the feed took of them, and what others leave to it. */
function countFor(count: number, own: number, free: number): number {
  if (own < (count === 1 ? oneIsShort : oneIsEnough)) return 1;
  const fitting = Math.min(Math.max(free, 1), feedMakersMax);
  return Math.abs(fitting - count) > change ? Math.round(fitting) : count;
}
