import { arrowSchema } from '../../arrow/arrow-type.ts';
import { type EncodedBody, headBytesMax, messageChunks } from '../../arrow/batch-message.ts';
import { codecOf } from '../../arrow/buffer-compression.ts';
import { IcecoreError } from '../../errors.ts';
import { feedMakersMax, feedSplitBytesMin } from '../../limits.ts';
import { estimatedRowBytes } from '../row-bytes-estimate.ts';
import { type ColumnRange, columnRanges } from './column-ranges.ts';
import type { FeedPool, FeedWorker } from './feed-pool.ts';
import type {
  BatchesAnswer,
  BatchPart,
  BatchSeconds,
  ColumnsAnswer,
  FeedDescription,
  GroupFile,
} from './feed-worker-messages.ts';
import { MakersCount } from './makers-count.ts';
import type { MessageChunks } from './message-chunks.ts';

/** The messages of batches, or the places of the groups whose block file is no longer what it was. */
export type MadeMessages =
  | { readonly messages: readonly MessageChunks[]; readonly seconds: BatchSeconds }
  | { readonly lost: readonly number[] };

/**
 * The threads that make the batches of one feed: one of them, or several, each some columns of every batch, where one is not enough and
 * others have time. Bytes are the same.
 */
export class BatchMakers {
  readonly #pool: FeedPool;
  readonly #description: FeedDescription;
  readonly #rowBytes: number;
  /** By how many there are. */
  readonly #ranges: readonly (readonly ColumnRange[])[];
  readonly #first: FeedWorker;
  readonly #opened = new Map<FeedWorker, Promise<null>>();
  readonly #count: Pick<MakersCount, 'of' | 'worked'>;
  readonly #madeBy = new WeakMap<ArrayBufferLike, FeedWorker>();
  #making = 0;
  /** Its blocks are too much in parts: to try that with each batch would read them twice. */
  #isWhole = false;
  #isClosed = false;

  /** Throws FAILED_PRECONDITION where the pool is closed. */
  constructor(pool: FeedPool, description: FeedDescription, count: Pick<MakersCount, 'of' | 'worked'> | null = null) {
    const { columns, order } = description;
    this.#pool = pool;
    this.#description = description;
    this.#rowBytes = estimatedRowBytes(columns);
    const most = Math.min(pool.size, feedMakersMax);
    this.#ranges = Array.from({ length: most + 1 }, (_, count) => columnRanges(columns, count));
    const workers = pool.workers();
    const [first] = workers.toSorted((a, b) => a.feeds - b.feeds || a.decodes - b.decodes);
    if (first === undefined) throw new IcecoreError('INTERNAL', 'There is no worker for training feeds.');
    this.#first = first;
    const isQuiet = workers.every(({ feeds, decodes }) => feeds + decodes === 0);
    // In order, one is enough for most readers.
    this.#count = count ?? new MakersCount(isQuiet && order.shuffle === 'WINDOWED' ? most : 1);
    first.feeds++;
  }

  /**
   * The messages of a run of batches, on memory that they share where one thread makes them. Throws what a thread throws, what the signal
   * was aborted with, and INTERNAL that can be tried again where a thread died.
   */
  async make(parts: readonly BatchPart[], files: readonly GroupFile[], signal: AbortSignal): Promise<MadeMessages> {
    const [part, ...more] = parts;
    const isOne =
      !this.#isWhole && part !== undefined && more.length === 0 && part.span.rows * this.#rowBytes >= feedSplitBytesMin;
    const workers = isOne && this.#first.isAlive ? this.#workers() : [];
    const ranges = workers.length > 0 ? (this.#ranges[this.#count.of(workers, this.#making === 0)] ?? []) : [];
    this.#making++;
    try {
      const split = isOne && ranges.length > 1 ? await this.#makeSplit(part, ranges, workers, files, signal) : null;
      return split ?? (await this.#makeWhole(parts, files, signal));
    } finally {
      this.#making--;
    }
  }

  /** Takes back memory of a message that nobody reads any more. */
  recycle(chunks: MessageChunks): void {
    for (const { buffer } of chunks) {
      if (buffer instanceof ArrayBuffer && !buffer.detached) this.#madeBy.get(buffer)?.recycle(buffer);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#first.feeds--;
    const { feed } = this.#description;
    for (const [worker, opened] of this.#opened) {
      opened
        .then(async () => {
          if (worker.isAlive) await worker.call('close', { feed });
        })
        .catch(() => undefined);
    }
  }

  /** From the first on, which is the feed's as long as it lives. */
  #workers(): readonly FeedWorker[] {
    const workers = this.#pool.workers();
    const first = workers.indexOf(this.#first);
    return first < 0 ? [this.#first] : [...workers.slice(first), ...workers.slice(0, first)];
  }

  async #opening(worker: FeedWorker): Promise<void> {
    if (this.#isClosed) throw new IcecoreError('INTERNAL', 'The feed was closed.', { retryable: true });
    const opened = this.#opened.get(worker) ?? worker.call('open', this.#description);
    this.#opened.set(worker, opened);
    await opened;
  }

  async #makeWhole(parts: readonly BatchPart[], files: readonly GroupFile[], signal: AbortSignal): Promise<MadeMessages> {
    const worker = this.#first;
    await this.#opening(worker);
    const { feed } = this.#description;
    const answer: BatchesAnswer = await worker.call('batches', { feed, parts, files }, signal);
    if ('lost' in answer) return answer;
    const { messages, ends, seconds } = answer;
    this.#made(messages, worker, seconds);
    return { messages: ends.map((end, index) => [messages.subarray(ends[index - 1] ?? 0, end)]), seconds };
  }

  /** Null where its blocks are too much for parts of it. What others made is given back where one fails. */
  async #makeSplit(
    part: BatchPart,
    ranges: readonly ColumnRange[],
    workers: readonly FeedWorker[],
    files: readonly GroupFile[],
    signal: AbortSignal,
  ): Promise<MadeMessages | null> {
    const { feed, columns, compression } = this.#description;
    const room = headBytesMax(arrowSchema(columns), part.metadata);
    const settled = await Promise.allSettled(
      ranges.map(async (range, index): Promise<ColumnsAnswer> => {
        const worker = workers[index] ?? this.#first;
        await this.#opening(worker);
        const headBytes = index === 0 ? room : 0;
        const answer = await worker.call('columns', { feed, part, files, range, headBytes }, signal);
        if ('body' in answer) this.#made(answer.body.bytes, worker, answer.seconds);
        return answer;
      }),
    );
    const answers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const made = answers.filter((answer) => 'body' in answer);
    const bodies: readonly EncodedBody[] = made.map(({ body }) => body);
    if (made.length === ranges.length) {
      const codec = codecOf(compression);
      const message = { rowCount: part.span.rows, codec, metadata: part.metadata };
      return { messages: [messageChunks(bodies, room, message)], seconds: longest(made.map(({ seconds }) => seconds)) };
    }
    this.recycle(bodies.map(({ bytes }) => bytes));
    const failures: readonly unknown[] = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    const isTooMuch = (failure: unknown) => IcecoreError.is(failure, 'OVERLOADED');
    for (const failure of failures) if (!isTooMuch(failure)) throw failure;
    this.#isWhole ||= failures.length > 0;
    return failures.length > 0 ? null : { lost: answers.flatMap((answer) => ('lost' in answer ? answer.lost : [])) };
  }

  #made({ buffer }: Uint8Array, worker: FeedWorker, seconds: BatchSeconds): void {
    this.#madeBy.set(buffer, worker);
    this.#count.worked(total(seconds));
  }
}

/** Of what was done at the same time. */
function longest(seconds: readonly BatchSeconds[]): BatchSeconds {
  const last = seconds.toSorted((one, other) => total(one) - total(other)).at(-1);
  return last ?? { reading: 0, gathering: 0 };
}

function total({ reading, gathering }: BatchSeconds): number {
  return reading + gathering;
}
