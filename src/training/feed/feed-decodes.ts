import { arrowSchema } from '../../arrow/arrow-type.ts';
import type { BlockCache } from '../../arrow/block-cache.ts';
import { isEmptied } from '../../arrow/block-file-failure.ts';
import { BlockFileWriter } from '../../arrow/block-file-writer.ts';
import { IcecoreError } from '../../errors.ts';
import { feedDecodeBytesPerWorker, feedDecodesPerWorkerMax, feedDecodesPerWorkerMin, feedDecodeTriesMax } from '../../limits.ts';
import type { DecodeTask, FeedGroups } from '../groups/feed-groups.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import { estimatedRowBytes } from '../row-bytes-estimate.ts';
import type { FeedPool, FeedWorker } from './feed-pool.ts';
import type { DecodeAnswer } from './feed-worker-messages.ts';
import { restBeforeTry } from './rest-before-try.ts';

/** How soon a group is needed: 0 now, else how many groups come before it. */
export type DecodeNeed = number;

interface Decode {
  readonly groups: FeedGroups;
  readonly task: DecodeTask;
  readonly path: string;
  readonly done: PromiseWithResolvers<void>;
  readonly controller: AbortController;
  /** Whoever waits for it; aborted when nobody does any more. */
  waiters: number;
  need: DecodeNeed;
  isRunning: boolean;
}

/** Of a block file, beside its key and its columns: a cache that is nearly full shall not be filled beyond its limit by many small ones. */
const headBytes = 512;

interface SqlDecode {
  readonly outcome: 'by-sql';
  readonly bytes: number;
}

export interface DecodeCounts {
  /** Groups that workers decoded, and those that the SQL engine did. */
  readonly decoded: number;
  readonly bySql: number;
  /** Of the workers. */
  readonly seconds: number;
}

/**
 * Turns groups into block files: one decode for a key at a time, whoever asks for it, those needed soonest first, spread over the
 * workers.
 */
export class FeedDecodes {
  readonly #cache: BlockCache;
  readonly #pool: FeedPool;
  readonly #byPath = new Map<string, Decode>();
  #counts: DecodeCounts = { decoded: 0, bySql: 0, seconds: 0 };

  constructor(cache: BlockCache, pool: FeedPool) {
    this.#cache = cache;
    this.#pool = pool;
  }

  get counts(): DecodeCounts {
    return this.#counts;
  }

  /** The block file of a task is there when this resolves. Throws as decoding does, and what the signal was aborted with. */
  async make(groups: FeedGroups, task: DecodeTask, need: DecodeNeed, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const path = this.#cache.pathOf(task.key);
    const known = this.#byPath.get(path);
    if (known === undefined && this.#cache.touch(path)) return;
    const decode = known ?? this.#begin(groups, task, path);
    decode.need = Math.min(decode.need, need);
    decode.waiters++;
    const { promise, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#dispatch();
    try {
      await Promise.race([decode.done.promise, promise]);
    } finally {
      signal.removeEventListener('abort', abort);
      if (--decode.waiters === 0 && this.#byPath.get(path) === decode) this.#leave(decode);
    }
  }

  /** What was asked for ahead is needed now. */
  hasten(path: string): void {
    const decode = this.#byPath.get(path);
    if (decode !== undefined) decode.need = 0;
  }

  #begin(groups: FeedGroups, task: DecodeTask, path: string): Decode {
    const decode: Decode = {
      groups,
      task,
      path,
      done: Promise.withResolvers(),
      controller: new AbortController(),
      waiters: 0,
      need: Number.POSITIVE_INFINITY,
      isRunning: false,
    };
    // Whoever waits for it hears of it.
    decode.done.promise.catch(() => undefined);
    this.#byPath.set(path, decode);
    return decode;
  }

  #leave(decode: Decode): void {
    this.#byPath.delete(decode.path);
    decode.controller.abort(new IcecoreError('INTERNAL', 'Nobody waits for this group any more.', { retryable: true }));
    this.#dispatch();
  }

  /** Begins what is needed soonest, as far as workers are free. */
  #dispatch(): void {
    for (;;) {
      const next = this.#next();
      if (next === null) return;
      let worker: FeedWorker | null;
      try {
        worker = this.#freeWorker(decodeBytes(next.task));
      } catch (error) {
        this.#byPath.delete(next.path);
        next.done.reject(error);
        continue;
      }
      if (worker === null) return;
      next.isRunning = true;
      void this.#run(next, worker);
    }
  }

  #next(): Decode | null {
    let next: Decode | null = null;
    for (const decode of this.#byPath.values()) {
      if (!decode.isRunning && (next === null || decode.need < next.need)) next = decode;
    }
    return next;
  }

  #freeWorker(bytes: number): FeedWorker | null {
    const [least] = this.#pool.workers().toSorted((a, b) => a.decodes - b.decodes || a.feeds - b.feeds);
    if (least === undefined || least.decodes >= feedDecodesPerWorkerMax) return null;
    const isRoom = least.decodes < feedDecodesPerWorkerMin || least.decodeBytes + bytes <= feedDecodeBytesPerWorker;
    return isRoom ? least : null;
  }

  async #run(decode: Decode, worker: FeedWorker): Promise<void> {
    const bytes = decodeBytes(decode.task);
    worker.decodes++;
    worker.decodeBytes += bytes;
    try {
      await this.#decode(decode, worker);
      decode.done.resolve();
    } catch (error) {
      decode.done.reject(error);
    } finally {
      worker.decodes--;
      worker.decodeBytes -= bytes;
      if (this.#byPath.get(decode.path) === decode) this.#byPath.delete(decode.path);
      this.#dispatch();
    }
  }

  async #decode({ groups, task: asked, path, controller: { signal } }: Decode, worker: FeedWorker): Promise<void> {
    const room = await this.#cache.room(estimatedRowBytes(asked.fields) * asked.matchingRows + asked.key.length + headBytes);
    try {
      let task = asked;
      for (let tries = 0; tries < feedDecodeTriesMax; tries++) {
        await restBeforeTry(tries, signal);
        const answer = await this.#written(groups, task, path, worker, signal);
        if (answer === null) continue;
        switch (answer.outcome) {
          case 'decoded':
            this.#counts = { ...this.#counts, decoded: this.#counts.decoded + 1, seconds: this.#counts.seconds + answer.seconds };
            return await this.#cache.admit(path, answer.bytes);
          case 'by-sql':
            this.#counts = { ...this.#counts, bySql: this.#counts.bySql + 1 };
            return await this.#cache.admit(path, answer.bytes);
          case 'uncovered':
            task = { ...task, uncovered: answer.why };
            break;
          case 'no-live-rows':
            task = await groups.decodeTask(task.place, signal);
        }
      }
      throw new IcecoreError('INTERNAL', `The matching rows of ${asked.location} are gone each time that they were written.`, {
        retryable: true,
      });
    } finally {
      room.release();
    }
  }

  /** Null where the cache was emptied meanwhile. */
  async #written(
    groups: FeedGroups,
    task: DecodeTask,
    path: string,
    worker: FeedWorker,
    signal: AbortSignal,
  ): Promise<DecodeAnswer | SqlDecode | null> {
    try {
      if (task.uncovered !== null) return await this.#decodeBySql(groups, task, path, signal);
      return await worker.call('decode', { task, path }, signal);
    } catch (error) {
      if (isEmptied(error)) return null;
      throw error;
    }
  }

  async #decodeBySql(groups: FeedGroups, task: DecodeTask, path: string, signal: AbortSignal): Promise<SqlDecode> {
    const writer = BlockFileWriter.create(path, task.key, arrowSchema(task.fields), blockRowsMax, this.#pool.checkedParts);
    try {
      await groups.decodeBySql(task.place, (block) => writer.write(block), signal);
      return { outcome: 'by-sql', bytes: writer.finish() };
    } finally {
      writer.abandon();
    }
  }
}

/** Of all rows of a group, in Arrow, about. */
function decodeBytes({ fields, rowCount }: DecodeTask): number {
  return estimatedRowBytes(fields) * rowCount;
}
