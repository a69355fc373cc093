import type { BlockCache } from '../../arrow/block-cache.ts';
import { IcecoreError } from '../../errors.ts';
import type { DecodeTask, FeedGroups } from '../groups/feed-groups.ts';
import type { FeedDecodes } from './feed-decodes.ts';
import type { GroupFile } from './feed-worker-messages.ts';

interface WindowGroup {
  readonly task: DecodeTask;
  readonly file: GroupFile;
  readonly unpin: () => void;
  ready: Promise<void>;
}

/**
 * The groups that a feed reads now and soon: their block files are made, and kept from leaving the cache. A feed that stalls makes none.
 */
export class FeedWindow {
  readonly #groups: FeedGroups;
  readonly #cache: BlockCache;
  readonly #decodes: FeedDecodes;
  readonly #held = new Map<number, Promise<WindowGroup>>();
  readonly #controller = new AbortController();
  /** The cache has no room for what is read ahead. */
  #isTight = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(groups: FeedGroups, cache: BlockCache, decodes: FeedDecodes) {
    this.#groups = groups;
    this.#cache = cache;
    this.#decodes = decodes;
  }

  /**
   * The files of the groups, decoded where they are not there yet; begins with those of `soon` behind them, in that order, and lets go of all
   * others. Throws as `FeedDecodes.make`.
   */
  async files(now: ReadonlySet<number>, soon: readonly number[]): Promise<readonly GroupFile[]> {
    // One batch after the other: what one needs is not let go of by the next.
    const turn = this.#turn.then(() => this.#files(now, soon));
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  async #files(now: ReadonlySet<number>, soon: readonly number[]): Promise<readonly GroupFile[]> {
    const ahead = this.#isTight ? [] : soon;
    const kept = new Set(ahead);
    for (const place of this.#held.keys()) if (!now.has(place) && !kept.has(place)) this.#drop(place);
    const wanted = [...now].map((place) => this.#want(place, 0));
    const awaited = ahead.map((place, index) => this.#want(place, index + 1));
    for (const each of awaited) each.catch(() => undefined);
    try {
      return await Promise.all(wanted.map(fileOf));
    } catch (error) {
      if (this.#isTight || !IcecoreError.is(error, 'OVERLOADED')) throw error;
      // The cache holds what is needed, perhaps, but not what is read ahead as well.
      this.#isTight = true;
      await Promise.allSettled([...wanted, ...awaited].map(fileOf));
      return await this.#files(now, soon);
    }
  }

  /** The group's file is no longer what it was: it is made anew when it is asked for again. */
  lose(place: number): void {
    void this.#held
      .get(place)
      ?.then(({ file }) => this.#cache.forget(file.path))
      .catch(() => undefined);
    this.#drop(place);
  }

  /** Its reader stalls: its files may leave the cache, and are made anew if they did. */
  rest(): void {
    for (const place of [...this.#held.keys()]) this.#drop(place);
  }

  /** What is under way for it fails with the reason. */
  close(reason: unknown = new Error('The feed was left.')): void {
    this.#controller.abort(reason);
    this.rest();
  }

  #want(place: number, need: number): Promise<WindowGroup> {
    const known = this.#held.get(place);
    if (known !== undefined) {
      if (need === 0) void known.then((group) => this.#hasten(group)).catch(() => undefined);
      return known;
    }
    const held = this.#open(place, need);
    this.#held.set(place, held);
    // One that failed is tried again by who needs it next.
    held.then((group) => group.ready).catch(() => this.#held.get(place) === held && this.#held.delete(place));
    return held;
  }

  async #open(place: number, need: number): Promise<WindowGroup> {
    const { signal } = this.#controller;
    const task = await this.#groups.decodeTask(place, signal);
    const path = this.#cache.pathOf(task.key);
    const unpin = this.#cache.pin(path);
    const ready = this.#decodes.make(this.#groups, task, need, signal);
    ready.catch(() => unpin());
    return { task, file: { place, path, key: task.key }, unpin, ready };
  }

  /** What was read ahead is needed now. */
  #hasten(group: WindowGroup): void {
    this.#decodes.hasten(group.file.path);
  }

  #drop(place: number): void {
    const held = this.#held.get(place);
    this.#held.delete(place);
    held?.then(({ unpin }) => unpin()).catch(() => undefined);
  }
}

async function fileOf(held: Promise<WindowGroup>): Promise<GroupFile> {
  const { ready, file } = await held;
  await ready;
  return file;
}
