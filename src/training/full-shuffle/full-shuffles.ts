import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fullShuffleLingerMs, fullShuffleSampledGroups } from '../../limits.ts';
import type { FeedOrder } from '../feed/feed-input.ts';
import { FeedWindow } from '../feed/feed-window.ts';
import type { GroupFile } from '../feed/feed-worker-messages.ts';
import type { FeedGroups } from '../groups/feed-groups.ts';
import { FullShuffle } from './full-shuffle.ts';
import type { FullShuffleEngine, FullShuffleRows } from './full-shuffle-dealing.ts';
import { fullShufflePlan } from './full-shuffle-plan.ts';

interface OpenShuffle {
  readonly shuffle: FullShuffle;
  users: number;
}

export type FullShuffleInput = Pick<FullShuffleRows, 'groups' | 'columns'> & {
  readonly order: Pick<FeedOrder, 'seed' | 'epoch'>;
};

/** A reader of a full shuffle: buckets are its groups, in the order NONE. */
export interface FullShuffleReader {
  readonly rowCounts: Uint32Array;
  readonly progress: FullShuffle['progress'];
  /** The files of buckets, made where they are not there; begins with those of `soon`. Throws as `FullShuffle.file`. */
  readonly files: (now: ReadonlySet<number>, soon: readonly number[]) => Promise<readonly GroupFile[]>;
  /** A bucket's file is no longer what it was. */
  readonly lose: (bucket: number) => void;
  readonly close: () => void;
}

/** The full shuffles that are read now: one for all ranks of an epoch, and for whoever else reads the same rows in the same order. */
export class FullShuffles {
  readonly #engine: FullShuffleEngine;
  readonly #open = new Map<string, OpenShuffle>();

  constructor(engine: FullShuffleEngine) {
    this.#engine = engine;
  }

  /**
   * The groups have a row. Decodes some of them, to learn how long rows are. Throws as decoding does, and what the signal was aborted with.
   */
  async open(input: FullShuffleInput, signal: AbortSignal): Promise<FullShuffleReader> {
    const { groups, columns, order } = input;
    const contentKey = await contentKeyOf(groups, signal);
    const name = `${contentKey} ${order.seed} ${order.epoch}`;
    const known = this.#open.get(name);
    if (known !== undefined) return this.#reader(name, known);
    const rows = groups.matchingRows.reduce((sum, count) => sum + count, 0);
    const rowBytes = await this.#rowBytes(groups, signal);
    // Another may have been faster.
    const found = this.#open.get(name);
    if (found !== undefined) return this.#reader(name, found);
    const plan = fullShufflePlan({ contentKey, rows, rowBytes, order });
    const opened = { shuffle: new FullShuffle(this.#engine, { plan, groups, columns }), users: 0 };
    this.#open.set(name, opened);
    return this.#reader(name, opened);
  }

  #reader(name: string, opened: OpenShuffle): FullShuffleReader {
    const { shuffle } = opened;
    opened.users++;
    let isOpen = true;
    return {
      rowCounts: shuffle.rowCounts,
      get progress() {
        return shuffle.progress;
      },
      files: async (now, soon) => {
        const wanted = Array.from(now, (bucket) => shuffle.file(bucket));
        for (const bucket of soon) shuffle.file(bucket).catch(() => undefined);
        return await Promise.all(wanted);
      },
      // Found missing when it is asked for again: who noticed removed it.
      lose: () => {},
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        if (--opened.users === 0) void this.#leave(name, opened);
      },
    };
  }

  /** A reader that lost its connection comes back soon, and dealing took long. */
  async #leave(name: string, opened: OpenShuffle): Promise<void> {
    await setTimeout(fullShuffleLingerMs, undefined, { ref: false });
    if (opened.users > 0 || this.#open.get(name) !== opened) return;
    this.#open.delete(name);
    opened.shuffle.close();
  }

  /** Of groups spread evenly over all. */
  async #rowBytes(groups: FeedGroups, signal: AbortSignal): Promise<number> {
    const places = [...groups.matchingRows.keys()].filter((place) => groups.matchingRows[place] !== 0);
    const count = Math.min(places.length, fullShuffleSampledGroups);
    const sampled = new Set(
      Array.from({ length: count }, (_, index) => places[Math.floor((index * places.length) / count)] ?? 0),
    );
    const window = new FeedWindow(groups, this.#engine.cache, this.#engine.decodes);
    const abort = () => window.close();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const files = await window.files(sampled, []);
      signal.throwIfAborted();
      const bytes = files.reduce((sum, { path }) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
      return bytes / files.reduce((sum, { place }) => sum + (groups.matchingRows[place] ?? 0), 0);
    } finally {
      signal.removeEventListener('abort', abort);
      window.close();
    }
  }
}

/** Equal where all rows and their order are. */
async function contentKeyOf(groups: FeedGroups, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (const [place, rowCount] of groups.matchingRows.entries()) {
    if (rowCount === 0) continue;
    signal.throwIfAborted();
    hash.update(`${JSON.stringify(await groups.blockKey(place, signal))} ${rowCount}\n`);
  }
  return hash.digest('hex');
}
