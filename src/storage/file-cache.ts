import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { IcecoreError } from '../errors.ts';
import type { LocalCopy } from './storage.ts';

/** Where the bytes of a file come from. */
export interface FileSource {
  readonly sizeBytes: number;
  /** Writes all of the bytes to a new file at this path. */
  download(path: string): Promise<void>;
}

interface CachedFile {
  readonly path: string;
  sizeBytes: number;
  users: number;
  /** Out of the map; its bytes go with its last user. */
  forgotten: boolean;
  readonly ready: Promise<void>;
}

/** Directories of caches that live in this process. */
const inUse = new Set<string>();

/**
 * Local copies of remote files that never change, least recently used ones leaving first. A copy that is in use is
 * never taken away. Concurrent opens of one file share one download. Holds at most `bytesMax` on disk.
 */
export class FileCache {
  readonly #directory: string;
  readonly #bytesMax: number;
  /** In order of last use. */
  readonly #files = new Map<string, CachedFile>();
  #bytes = 0;

  private constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  /** A fresh directory below `parent`; those of processes that are gone are removed. */
  static async open(parent: string, bytesMax: number): Promise<FileCache> {
    await mkdir(parent, { recursive: true });
    for (const name of await readdir(parent)) {
      const owner = /^files-(\d+)-/.exec(name)?.[1];
      if (owner !== undefined && isLeftOver(name, Number(owner))) await rm(join(parent, name), { recursive: true, force: true });
    }
    const name = `files-${process.pid}-${randomUUID()}`;
    inUse.add(name);
    await mkdir(join(parent, name));
    return new FileCache(join(parent, name), bytesMax);
  }

  /** Bytes that the copies hold on disk, downloads under way included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws OVERLOADED where the copies in use leave no room. */
  async open(location: string, find: () => Promise<FileSource>): Promise<LocalCopy> {
    const known = this.#files.get(location);
    const file = known ?? this.#add(location, find);
    file.users += 1;
    this.#touch(location, file);
    try {
      await file.ready;
    } catch (error) {
      file.users -= 1;
      throw error;
    }
    let released = false;
    return {
      path: file.path,
      release: () => {
        if (released) return;
        released = true;
        file.users -= 1;
        if (file.forgotten && file.users === 0) this.#discard(file);
      },
    };
  }

  /** The location's bytes changed or are gone: the next open fetches them again. */
  forget(location: string): void {
    const file = this.#files.get(location);
    if (file === undefined) return;
    this.#files.delete(location);
    file.forgotten = true;
    if (file.users === 0) this.#discard(file);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#files.values()].map((file) => file.ready));
    this.#files.clear();
    inUse.delete(this.#directory.slice(this.#directory.lastIndexOf('/') + 1));
    await rm(this.#directory, { recursive: true, force: true });
  }

  #add(location: string, find: () => Promise<FileSource>): CachedFile {
    const name = `${createHash('sha256').update(location).digest('hex').slice(0, 32)}-${randomUUID()}${extensionOf(location)}`;
    const path = join(this.#directory, name);
    const file: CachedFile = {
      path,
      sizeBytes: 0,
      users: 0,
      forgotten: false,
      // After this turn, so that the entry is complete before anything looks at it.
      ready: Promise.resolve().then(() => this.#fill(location, file, find)),
    };
    this.#files.set(location, file);
    return file;
  }

  async #fill(location: string, file: CachedFile, find: () => Promise<FileSource>): Promise<void> {
    const temporary = `${file.path}.tmp`;
    try {
      const source = await find();
      this.#makeRoom(location, source.sizeBytes);
      file.sizeBytes = source.sizeBytes;
      this.#bytes += source.sizeBytes;
      await source.download(temporary);
      const { size } = await stat(temporary);
      if (size !== source.sizeBytes) throw wrongSize(location, size, source.sizeBytes);
      await rename(temporary, file.path);
    } catch (error) {
      this.#bytes -= file.sizeBytes;
      file.sizeBytes = 0;
      if (this.#files.get(location) === file) this.#files.delete(location);
      await rm(temporary, { force: true });
      throw error;
    }
  }

  #makeRoom(location: string, sizeBytes: number): void {
    for (const [key, file] of this.#files) {
      if (this.#bytes + sizeBytes <= this.#bytesMax) return;
      if (file.users === 0) this.forget(key);
    }
    if (this.#bytes + sizeBytes <= this.#bytesMax) return;
    throw new IcecoreError(
      'OVERLOADED',
      `The local copy of ${location} needs ${sizeBytes} bytes, and the cache of ${this.#bytesMax} bytes has ` +
        `${this.#bytes} in use: repeat the call later, or give the cache more room.`,
      {
        context: { location, sizeBytes, bytesInUse: this.#bytes, bytesMax: this.#bytesMax },
        retryable: sizeBytes <= this.#bytesMax,
      },
    );
  }

  #touch(location: string, file: CachedFile): void {
    if (this.#files.get(location) !== file) return;
    this.#files.delete(location);
    this.#files.set(location, file);
  }

  #discard(file: CachedFile): void {
    this.#bytes -= file.sizeBytes;
    file.sizeBytes = 0;
    rm(file.path, { force: true }).catch((error: Error) => process.emitWarning(error));
  }
}

function isLeftOver(name: string, owner: number): boolean {
  if (owner === process.pid) return !inUse.has(name);
  try {
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Engines tell formats apart by it. */
function extensionOf(location: string): string {
  const extension = extname(location);
  return /^\.[A-Za-z0-9]{1,10}$/.test(extension) ? extension : '';
}

function wrongSize(location: string, found: number, expected: number): IcecoreError {
  return new IcecoreError('INTERNAL', `The copy of ${location} has ${found} bytes of ${expected}.`, {
    context: { location },
    retryable: true,
  });
}
