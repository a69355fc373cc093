import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { CheckedParts } from '../../arrow/checked-parts.ts';
import { IcecoreError } from '../../errors.ts';
import {
  feedBlocksBytesMax,
  feedCheckedPartsBytesMax,
  feedRestMs,
  feedWorkerHeapBytesMax,
  feedWorkerHeapBytesMin,
  feedWorkersMax,
  feedWorkerYoungBytesMax,
} from '../../limits.ts';
import type { StorageOptions } from '../../storage/routed-storage.ts';
import { failureError } from './feed-failure.ts';
import type { FeedWorkerCalls, FeedWorkerMethod, FeedWorkerSetup, FromFeedWorker, ToFeedWorker } from './feed-worker-messages.ts';

export interface FeedPoolOptions {
  /** How workers reach the files of tables; each keeps what it needs on disk in a directory of its own below `cacheDir`. */
  readonly storage: Omit<StorageOptions, 'environment'>;
  /** As many as there are cores where left out, up to a limit. */
  readonly workers?: number;
  /** Threads without work end after so long, or twice that. */
  readonly restMs?: number;
  /** What the threads run; `feed-worker.ts` where left out. */
  readonly script?: URL;
}

const feedWorkerScript = new URL('./feed-worker.ts', import.meta.url);

/** Worker threads that decode and shuffle. Started with the first that is asked for; one that dies is started anew. */
export class FeedPool {
  /** Of all threads. */
  readonly checkedParts = new CheckedParts(feedCheckedPartsBytesMax);
  readonly #options: FeedPoolOptions;
  readonly #places: (FeedWorker | null)[];
  #restTimer: NodeJS.Timeout | null = null;
  #wasUsed = true;
  #isClosed = false;

  constructor(options: FeedPoolOptions) {
    this.#options = options;
    const workers = options.workers ?? Math.min(availableParallelism(), feedWorkersMax);
    this.#places = Array.from({ length: Math.max(1, workers) }, () => null);
  }

  /** All of them, running. Throws FAILED_PRECONDITION where the pool is closed. */
  workers(): readonly FeedWorker[] {
    if (this.#isClosed)
      throw new IcecoreError('FAILED_PRECONDITION', 'The training feeds of this server are closed.', { retryable: true });
    this.#wasUsed = true;
    this.#restTimer ??= setInterval(() => this.#rest(), this.#options.restMs ?? feedRestMs).unref();
    return this.#places.map((worker, place) => {
      if (worker?.isAlive) return worker;
      const { storage } = this.#options;
      const started = new FeedWorker(this.#options.script ?? feedWorkerScript, {
        // The directory of one worker is not another's to sweep.
        storage: { ...storage, cacheDir: join(storage.cacheDir, `worker-${place}`) },
        blocksBytesMax: Math.floor(feedBlocksBytesMax / this.#places.length),
        checkedParts: this.checkedParts.memory,
      });
      this.#places[place] = started;
      return started;
    });
  }

  /** Ends threads that nobody had work for since it was last asked: nothing else gives all of their memory back. */
  #rest(): void {
    const isIdle = this.#places.every((worker) => worker === null || worker.isIdle);
    const wasIdle = !this.#wasUsed;
    this.#wasUsed = !isIdle;
    if (!isIdle || !wasIdle) return;
    if (this.#restTimer !== null) clearInterval(this.#restTimer);
    this.#restTimer = null;
    for (const worker of this.#places.splice(0, this.size, ...this.#places.map(() => null))) {
      worker?.terminate().catch(() => undefined);
    }
  }

  get size(): number {
    return this.#places.length;
  }

  /** Ends the threads; what they were asked for fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#restTimer !== null) clearInterval(this.#restTimer);
    await Promise.all(this.#places.map((worker) => worker?.terminate()));
  }
}

interface Pending {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** One thread. */
export class FeedWorker {
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #failure: unknown = null;
  /** Feeds that it makes batches of, full shuffles whose rows it deals, and groups that it decodes. */
  feeds = 0;
  decodes = 0;
  /** Of those groups, about. */
  decodeBytes = 0;

  constructor(script: URL, setup: FeedWorkerSetup) {
    // Read where a thread's heap is set up; there is no other way to say it.
    setFlagsFromString(`--initial-old-space-size=${feedWorkerHeapBytesMin / 1024 / 1024}`);
    this.#thread = new Worker(script, {
      workerData: setup,
      name: 'training-feed',
      resourceLimits: {
        maxOldGenerationSizeMb: feedWorkerHeapBytesMax / 1024 ** 2,
        maxYoungGenerationSizeMb: feedWorkerYoungBytesMax / 1024 ** 2,
      },
    });
    this.#thread.unref();
    this.#thread.on('message', (message: FromFeedWorker) => this.#settle(message));
    this.#thread.on('error', (error) => this.#die(error));
    this.#thread.on('exit', () => this.#die(this.#failure));
  }

  get isAlive(): boolean {
    return this.#failure === null;
  }

  /** Seconds of work that it has done so far, whatever that was. */
  get busySeconds(): number {
    return this.isAlive ? this.#thread.performance.eventLoopUtilization().active / 1000 : 0;
  }

  /** Whether nobody has work for it. */
  get isIdle(): boolean {
    return this.feeds === 0 && this.decodes === 0 && this.#pending.size === 0;
  }

  get threadId(): number {
    return this.#thread.threadId;
  }

  /**
   * The worker's answer. Throws what it throws, what the signal was aborted with, and INTERNAL that can be tried again where the thread
   * dies.
   */
  async call<Method extends FeedWorkerMethod>(
    method: Method,
    request: FeedWorkerCalls[Method]['request'],
    signal?: AbortSignal,
  ): Promise<FeedWorkerCalls[Method]['answer']> {
    signal?.throwIfAborted();
    if (this.#failure !== null) throw this.#failure;
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<FeedWorkerCalls[Method]['answer']>();
    const abort = () => {
      this.#post({ abort: id });
      this.#pending.delete(id);
      this.#rest();
      reject(signal?.reason);
    };
    this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject });
    this.#thread.ref();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#post({ id, method, request } as ToFeedWorker);
      return await promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Gives memory of a batch back to be used again; nobody reads it any more. */
  recycle(memory: ArrayBuffer): void {
    if (this.isAlive) this.#thread.postMessage({ recycle: memory } satisfies ToFeedWorker, [memory]);
  }

  async terminate(): Promise<void> {
    this.#die(
      new IcecoreError('INTERNAL', 'The training feeds of this server are being closed. Resume from the last cursor.', {
        retryable: true,
      }),
    );
    await this.#thread.terminate();
  }

  #post(message: ToFeedWorker): void {
    this.#thread.postMessage(message);
  }

  #settle(message: FromFeedWorker): void {
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    this.#rest();
    if ('failure' in message) pending?.reject(failureError(message.failure));
    else pending?.resolve(message.answer as never);
  }

  /** A thread without work keeps no process alive. */
  #rest(): void {
    if (this.#pending.size === 0) this.#thread.unref();
  }

  #die(cause: unknown): void {
    this.#failure ??= IcecoreError.is(cause)
      ? cause
      : new IcecoreError('INTERNAL', 'A worker of the training feeds ended unexpectedly. Resume from the last cursor.', {
          retryable: true,
          cause,
        });
    for (const { reject } of this.#pending.values()) reject(this.#failure);
    this.#pending.clear();
  }
}
