import { statSync, utimesSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { feedCacheTouchedMs } from '../limits.ts';
import { blockFileName, type CacheFile, isTemporary, ownTemporaryBytes, scanCache } from './block-cache-files.ts';
import { defaultBytes, freeBytes, noRoom } from './block-cache-room.ts';
import { backdated } from './checked-parts.ts';

interface CachedFile {
  bytes: number;
  usedMs: number;
  /** The scan under way when it was last heard of by other means. */
  heardIn: number;
}

/** Bytes that are kept free for somebody who is about to write. */
export interface CacheRoom {
  readonly bytes: number;
  /** Gives back what was not admitted; once. */
  readonly release: () => void;
}

/**
 * Whoever has to make room makes so much of the limit more, and the directory is read again when so much was written: then it is read
 * once for many files, and processes that share it exceed the limit by no more than this each.
 */
const slack = 0.05;

/**
 * A directory of block files on local disk, bounded by bytes; those used least recently leave first, also after a restart. It may be
 * emptied, and shared with other processes, at any time: what is gone is found missing and made anew. Of one process there is one for each
 * directory, on its main thread.
 */
export class BlockCache {
  readonly directory: string;
  readonly bytesMax: number;
  /** By path; of the same moment, the ones used first come first. */
  readonly #files = new Map<string, CachedFile>();
  readonly #pins = new Map<string, number>();
  #bytes = 0;
  #reserved = 0;
  #scans = 0;
  /** Written since the directory was read. */
  #unscanned = 0;
  /** Makes room for one at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, bytesMax: number) {
    this.directory = directory;
    this.bytesMax = bytesMax;
  }

  /**
   * `bytesMax` left out is half of what the disk has free, with what the cache already holds, but not more than 64 GiB. Removes what
   * processes that are gone left behind, and files beyond the limit.
   */
  static async open(directory: string, bytesMax?: number): Promise<BlockCache> {
    const files = await scanCache(directory);
    const cache = new BlockCache(directory, bytesMax ?? (await defaultBytes(directory, files)));
    cache.#take(files);
    await cache.#makeRoom(0);
    return cache;
  }

  /** Bytes of the files that it knows of. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the file of a key lies, if there is one. */
  pathOf(key: string): string {
    return join(this.directory, blockFileName(key));
  }

  /** Keeps a file, also one yet to come, from leaving by this process, until the function that it gives back is called. */
  pin(path: string): () => void {
    this.#pins.set(path, (this.#pins.get(path) ?? 0) + 1);
    let isPinned = true;
    return () => {
      if (!isPinned) return;
      isPinned = false;
      const pins = (this.#pins.get(path) ?? 1) - 1;
      if (pins === 0) this.#pins.delete(path);
      else this.#pins.set(path, pins);
    };
  }

  /** A file was used: it leaves later. False where it is not there, whoever removed it. */
  touch(path: string): boolean {
    const usedMs = Date.now();
    try {
      // Not each time: a file whose time moves is checked anew (checked-parts.ts).
      if (usedMs - statSync(path).mtimeMs > feedCacheTouchedMs) utimesSync(path, usedMs / 1000, backdated(usedMs) / 1000);
    } catch {
      this.forget(path);
      return false;
    }
    const file = this.#files.get(path);
    // One that another process wrote is counted when the directory is read.
    if (file !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, { ...file, usedMs });
    }
    return true;
  }

  /** Counts a file that was written there, of so many bytes, and removes others where they are too many now. */
  async admit(path: string, bytes: number): Promise<void> {
    this.forget(path);
    this.#files.set(path, { bytes, usedMs: Date.now(), heardIn: this.#scans });
    this.#bytes += bytes;
    this.#unscanned += bytes;
    if (this.#isTight(0)) await this.#inTurn(() => this.#makeRoom(0));
  }

  /** A file is gone, or no good. */
  forget(path: string): void {
    this.#bytes -= this.#files.get(path)?.bytes ?? 0;
    this.#files.delete(path);
  }

  /**
   * Keeps so many bytes free for who is about to write them: others leave for them, and nobody else gets them. Throws OVERLOADED where
   * what is in use, or the disk, leaves too few; `context` has `bytesNeeded` and `bytesAvailable`.
   */
  async room(bytes: number): Promise<CacheRoom> {
    return await this.#inTurn(async () => {
      await this.#makeRoom(bytes);
      const { bytesMax } = this;
      const disk = await this.#diskBytes(bytes);
      const available = Math.max(0, Math.min(bytesMax - this.#reserved - this.#bytes, disk));
      if (bytes > available) throw noRoom(this.directory, { bytesNeeded: bytes, bytesAvailable: available, bytesMax });
      this.#reserved += bytes;
      let isHeld = true;
      return {
        bytes,
        release: () => {
          if (isHeld) this.#reserved -= bytes;
          isHeld = false;
        },
      };
    });
  }

  #isTight(bytes: number): boolean {
    return this.#bytes + this.#reserved + bytes > this.bytesMax || this.#unscanned > slack * this.bytesMax;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Removes files until as many bytes are free, or those left are in use. Reads the directory first: others write and remove there. */
  async #makeRoom(bytes: number): Promise<void> {
    const diskLacks = bytes === 0 ? 0 : bytes - (await this.#diskBytes(bytes));
    if (!this.#isTight(bytes) && diskLacks <= 0) return;
    const scan = ++this.#scans;
    this.#unscanned = 0;
    this.#take(await scanCache(this.directory), scan);
    const { bytesMax } = this;
    const most = bytesMax - this.#reserved - bytes;
    const goal = Math.min(this.#bytes > most ? Math.max(0, most - slack * bytesMax) : this.#bytes, this.#bytes - diskLacks);
    const byUse = [...this.#files].sort(([, a], [, b]) => a.usedMs - b.usedMs);
    for (const [path] of byUse) {
      if (this.#bytes <= goal) return;
      if (this.#pins.has(path) || isTemporary(path) || !this.#files.has(path)) continue;
      await rm(path, { force: true }).catch(() => undefined);
      this.forget(path);
    }
  }

  /** What the disk has free and nobody was promised, as far as it matters for so many bytes. */
  async #diskBytes(wanted: number): Promise<number> {
    const free = (await freeBytes(this.directory)) - this.#reserved;
    if (free >= wanted || this.#reserved === 0) return free;
    // Of what was promised, some is written already.
    return free + Math.min(this.#reserved, await ownTemporaryBytes(this.directory));
  }

  /** What the directory holds, but for what happened while it was read. */
  #take(found: readonly CacheFile[], scan = 0): void {
    const present = new Set(found.map(({ path }) => path));
    for (const [path, file] of [...this.#files]) if (!present.has(path) && file.heardIn < scan) this.forget(path);
    for (const { path, bytes, modifiedMs } of found) {
      const known = this.#files.get(path);
      // Whole milliseconds, as the uses of this process are counted: of the same one, the order of the map decides.
      const usedMs = Math.max(known?.usedMs ?? 0, Math.floor(modifiedMs));
      if (known === undefined) this.#files.set(path, { bytes, usedMs, heardIn: 0 });
      else Object.assign(known, { bytes, usedMs });
      this.#bytes += bytes - (known?.bytes ?? 0);
    }
  }
}
