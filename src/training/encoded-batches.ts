import { setTimeout as wait } from 'node:timers/promises';
import { feedIdleBatchMs, feedPieceBytesMax, feedPieceBytesMin } from '../limits.ts';

/** Where the bytes of a batch come from. */
export interface BytesSource {
  /** Each time the same. */
  readonly make: () => Promise<Uint8Array>;
  /** Takes back the memory of bytes that nobody reads any more. */
  readonly recycle: (message: Uint8Array) => void;
  /** The bytes were let go: their reader stalls. */
  readonly rest: () => void;
}

/**
 * The encoded batches of all feeds that wait for their clients to take them. Beyond a limit, those of clients that have taken nothing for
 * the longest are let go, and made again when they read on. So a hundred clients that stall take no more memory than some.
 */
export class EncodedBatches {
  readonly #bytesMax: number;
  /** Those with their bytes, in the order in which they were last asked for some. */
  readonly #held = new Set<EncodedBatch>();
  #bytes = 0;
  #droppedCount = 0;
  #released = Promise.withResolvers<void>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of all that are held, and of those being made. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How often one was let go. */
  get dropped(): number {
    return this.#droppedCount;
  }

  /** Whether what is held leaves no memory for clients that are slow to take theirs. */
  get isScarce(): boolean {
    return this.#bytes > this.#bytesMax / 2;
  }

  /** Makes a batch, when there is room for it: about `bytes`. */
  async make<Made extends { readonly message: Uint8Array }>(
    bytes: number,
    make: () => Promise<Made>,
    source: (made: Made) => BytesSource,
    signal?: AbortSignal,
  ): Promise<{ readonly made: Omit<Made, 'message'>; readonly encoded: EncodedBatch }> {
    const { message, ...made } = await this.#within(bytes, make, signal);
    const encoded = new EncodedBatch(this, message, source({ ...made, message } as Made));
    this.hold(encoded, message.byteLength);
    return { made, encoded };
  }

  /** Makes bytes again that were let go. */
  async makeAgain(bytes: number, make: BytesSource['make']): Promise<Uint8Array> {
    return await this.#within(bytes, make);
  }

  /** The batch was asked for some of its bytes, and holds them. */
  hold(encoded: EncodedBatch, bytes: number): void {
    if (!this.#held.delete(encoded)) this.#bytes += bytes;
    this.#held.add(encoded);
  }

  release(encoded: EncodedBatch, bytes: number): void {
    if (!this.#held.delete(encoded)) return;
    this.#bytes -= bytes;
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  async #within<Made>(bytes: number, make: () => Promise<Made>, signal?: AbortSignal): Promise<Made> {
    while (!this.#shed()) {
      signal?.throwIfAborted();
      await Promise.race([this.#released.promise, wait(feedIdleBatchMs)]);
    }
    this.#bytes += bytes;
    try {
      return await make();
    } finally {
      this.#bytes -= bytes;
    }
  }

  /** Lets go of what is idle until there is room; whether there is. */
  #shed(): boolean {
    const idleSince = performance.now() - feedIdleBatchMs;
    for (const encoded of this.#held) {
      if (this.#bytes < this.#bytesMax || encoded.usedMs > idleSince) break;
      if (!encoded.drop()) continue;
      this.#droppedCount++;
      encoded.rest();
    }
    return this.#bytes < this.#bytesMax || this.#held.size === 0;
  }
}

/** The message of one batch, or the means to make it again. */
export class EncodedBatch {
  readonly byteLength: number;
  readonly #all: EncodedBatches;
  readonly #source: BytesSource;
  #message: Uint8Array | null;
  /** Whether somebody holds a view of it. */
  #isLent = false;
  /** Whether somebody has all of it. */
  #isGiven = false;
  /** When some of it was last asked for. */
  usedMs = performance.now();

  constructor(all: EncodedBatches, message: Uint8Array, source: BytesSource) {
    this.byteLength = message.byteLength;
    this.#all = all;
    this.#message = message;
    this.#source = source;
  }

  /** All of it; the caller's as long as it likes. */
  async bytes(): Promise<Uint8Array> {
    this.#isGiven = true;
    return await this.#held();
  }

  async #held(): Promise<Uint8Array> {
    this.usedMs = performance.now();
    this.#message ??= await this.#all.makeAgain(this.byteLength, this.#source.make);
    this.#all.hold(this, this.byteLength);
    return this.#message;
  }

  /** All of its pieces have left the process. */
  sent(): void {
    const message = this.#message;
    this.release();
    if (message !== null && !this.#isGiven) this.#source.recycle(message);
  }

  /**
   * The next piece of it, from an offset on, to be written at once. What was given before has been taken when this is asked for. Where
   * memory is scarce it is a small copy, which a client that stalls holds in place of the batch.
   */
  async piece(from: number): Promise<Uint8Array> {
    this.#isLent = false;
    const bytes = await this.#held();
    this.#isLent = !this.#all.isScarce;
    if (this.#isLent) return bytes.subarray(from, from + feedPieceBytesMax);
    return bytes.slice(from, from + feedPieceBytesMin);
  }

  /** Lets go of its bytes, but for those that somebody holds; whether it could. */
  drop(): boolean {
    if (this.#isLent || this.#message === null) return false;
    this.#message = null;
    this.#all.release(this, this.byteLength);
    return true;
  }

  rest(): void {
    this.#source.rest();
  }

  /** It is not wanted any more. */
  release(): void {
    this.#isLent = false;
    this.drop();
  }
}
