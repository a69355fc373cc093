import { setTimeout as wait } from 'node:timers/promises';
import { feedIdleBatchMs, feedPieceBytes } from '../../limits.ts';
import { chunksBytes, joinedChunks, type MessageChunks, restOfChunk } from './message-chunks.ts';

/** Where the bytes of a batch come from. */
export interface BytesSource {
  /** Each time the same. */
  readonly make: () => Promise<MessageChunks>;
  /** Takes back the memory of bytes that nobody reads any more: of the first ones, or of those that `make` gave. */
  readonly recycle: (message: MessageChunks, isFirst: boolean) => void;
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

  /** Makes something of about so many bytes, when there is room for it. Throws what the signal was aborted with. */
  async within<Made>(bytes: number, make: () => Promise<Made>, signal?: AbortSignal): Promise<Made> {
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
      if (encoded.drop()) this.#droppedCount++;
    }
    return this.#bytes < this.#bytesMax;
  }
}

/** The message of one batch, or the means to make it again. */
export class EncodedBatch {
  readonly byteLength: number;
  readonly #all: EncodedBatches;
  readonly #source: BytesSource;
  #message: MessageChunks | null;
  /** Whether somebody holds a view of it. */
  #isLent = false;
  /** Whether somebody has all of it. */
  #isGiven = false;
  /** Whether it was never made again. */
  #isFirst = true;
  /** When some of it was last asked for. */
  usedMs = performance.now();

  constructor(all: EncodedBatches, message: MessageChunks, source: BytesSource) {
    this.byteLength = chunksBytes(message);
    this.#all = all;
    this.#message = message;
    this.#source = source;
    all.hold(this, this.byteLength);
  }

  /** All of it; the caller's as long as it likes. */
  async bytes(): Promise<Uint8Array> {
    this.#isGiven = true;
    const bytes = joinedChunks(await this.#made());
    // Once is enough.
    if (this.#message !== null) this.#message = [bytes];
    return bytes;
  }

  /**
   * The next piece of it, from an offset on, to be written at once. What was given before has been taken when this is asked for. Where
   * memory is scarce it is a copy, which a client that stalls holds in place of the batch.
   */
  async piece(from: number): Promise<Uint8Array> {
    this.#isLent = false;
    const rest = restOfChunk(await this.#made(), from);
    this.#isLent = !this.#all.isScarce;
    return this.#isLent ? rest.subarray(0, feedPieceBytes) : rest.slice(0, feedPieceBytes);
  }

  /** All of its pieces have left the process: its memory can be used again. */
  sent(): void {
    const message = this.#message;
    this.release();
    this.#message = null;
    if (message !== null && !this.#isGiven) this.#source.recycle(message, this.#isFirst);
  }

  /** Nobody asks for more of it. */
  release(): void {
    this.#all.release(this, this.byteLength);
  }

  /** Lets go of its bytes, unless somebody reads them; whether it could. */
  drop(): boolean {
    if (this.#isLent || this.#message === null) return false;
    this.#message = null;
    this.#isFirst = false;
    this.release();
    this.#source.rest();
    return true;
  }

  async #made(): Promise<MessageChunks> {
    this.usedMs = performance.now();
    this.#message ??= await this.#all.within(this.byteLength, this.#source.make);
    this.#all.hold(this, this.byteLength);
    return this.#message;
  }
}
