import { parquetAheadBytesMax, storageRequestsMax } from '../limits.ts';
import type { ByteRange } from '../storage/storage.ts';
import { type CoalescedRange, coalesceRanges } from './coalesced-ranges.ts';
import type { ParquetFile } from './file-metadata.ts';
import { freeBytes } from './memory.ts';
import { readRange } from './range-read.ts';
import { RequestTurns } from './request-turns.ts';

/** One request and how many of its wanted ranges are still needed. */
interface Request {
  readonly range: CoalescedRange;
  bytes: Promise<Uint8Array> | null;
  /** Of whoever asks for bytes that were not requested yet. */
  turn: PromiseWithResolvers<Uint8Array> | null;
  needed: number;
}

const turnsOfThread = new RequestTurns();

/**
 * The bytes of ranges of one file, requested ahead in the order of the file, near ones together and several at once: as many as
 * `parquetAheadBytesMax` allows of what was not released yet, and as the requests of those that were begun before in this thread leave.
 * Begins at once.
 */
export class RangeReadAhead {
  readonly #turns: RequestTurns;
  readonly #file: ParquetFile;
  readonly #requests: readonly Request[];
  readonly #requestOf: ReadonlyMap<ByteRange, Request>;
  readonly #signal: AbortSignal | undefined;
  readonly #stopped = Promise.withResolvers<never>();
  readonly #stop = (): void => this.#end(this.#signal?.reason);
  /** Those that somebody waits for: they go first, whatever else lies unreleased. */
  readonly #asked = new Set<Request>();
  #next = 0;
  #underWay = 0;
  #heldBytes = 0;
  #isEnded = false;

  /** A range that is wanted twice is to be released twice. */
  constructor(file: ParquetFile, wanted: readonly ByteRange[], signal?: AbortSignal, turns = turnsOfThread) {
    this.#file = file;
    this.#turns = turns;
    this.#requests = coalesceRanges(wanted).map((range) => ({ range, bytes: null, turn: null, needed: range.wanted.length }));
    this.#requestOf = new Map(this.#requests.flatMap((request) => request.range.wanted.map((each) => [each, request] as const)));
    this.#signal = signal;
    // Nobody may be waiting.
    this.#stopped.promise.catch(() => undefined);
    if (signal?.aborted === true) this.#stop();
    else signal?.addEventListener('abort', this.#stop, { once: true });
    this.#turns.join(this);
  }

  /**
   * The bytes of a wanted range, which may be a view of those of several. What is asked for out of its order is requested before the others
   * of this file. Throws what reading them threw, and the signal's reason as soon as it is aborted.
   */
  async bytesOf(range: ByteRange): Promise<Uint8Array> {
    const request = this.#requestOf.get(range);
    if (request === undefined || request.needed === 0) throw new RangeError('These bytes were not wanted.');
    if (this.#isEnded) return await this.#stopped.promise;
    const bytes = await Promise.race([request.bytes ?? this.#inTurn(request), this.#stopped.promise]);
    const { start } = request.range;
    return new Uint8Array(bytes.buffer, bytes.byteOffset + range.start - start, range.end - range.start);
  }

  /** Says that nobody reads a range's bytes any more: their memory is freed, and others are requested in their place. */
  release(range: ByteRange): void {
    const request = this.#requestOf.get(range);
    if (request === undefined || request.needed === 0) return;
    request.needed--;
    if (request.needed > 0) return;
    if (request.bytes !== null) this.#heldBytes -= sizeOf(request);
    request.bytes?.then(freeBytes, () => undefined);
    request.bytes = null;
    this.#asked.delete(request);
    this.#turns.pass();
  }

  /** Requests no more, and lets go of what was read. */
  close(): void {
    this.#end(new Error('The reading of this row group was ended.'));
  }

  #end(reason: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#asked.clear();
    this.#signal?.removeEventListener('abort', this.#stop);
    for (const request of this.#requests) {
      request.bytes?.then(freeBytes, () => undefined);
      request.bytes = null;
    }
    this.#stopped.reject(reason);
    this.#turns.leave(this);
  }

  /** Requests what there is room for; false where it waits for that of all readers. Called by the turns alone. */
  requestMore(): boolean {
    for (const request of this.#asked) {
      if (!this.#turns.isRoom(sizeOf(request))) return false;
      this.#begin(request);
    }
    for (; this.#next < this.#requests.length && !this.#isEnded; this.#next++) {
      const request = this.#requests[this.#next];
      if (request === undefined || request.bytes !== null || request.needed === 0) continue;
      const size = sizeOf(request);
      const isOwnRoom = this.#heldBytes === 0 || this.#heldBytes + size <= parquetAheadBytesMax;
      if (this.#underWay >= storageRequestsMax || !isOwnRoom) return true;
      if (!this.#turns.isRoom(size)) return false;
      this.#begin(request);
    }
    this.#turns.leave(this);
    return true;
  }

  #inTurn(request: Request): Promise<Uint8Array> {
    request.turn ??= Promise.withResolvers();
    this.#asked.add(request);
    this.#turns.pass();
    return request.turn.promise;
  }

  #begin(request: Request): void {
    const size = sizeOf(request);
    this.#asked.delete(request);
    this.#underWay++;
    this.#heldBytes += size;
    this.#turns.began(size);
    const { start, end } = request.range;
    const bytes = readRange(this.#file, { start, end }).finally(() => {
      this.#underWay--;
      this.#turns.ended(size);
    });
    // It may fail before anybody asks for it: whoever does is told.
    bytes.catch(() => undefined);
    request.bytes = bytes;
    request.turn?.resolve(bytes);
  }
}

function sizeOf({ range }: Request): number {
  return range.end - range.start;
}
