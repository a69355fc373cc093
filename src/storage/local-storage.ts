import { constants, type Dirent } from 'node:fs';
import { open, opendir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { IcecoreError } from '../errors.ts';
import { storageRequestsMax } from '../limits.ts';
import { moveDurably, syncDirectories, writeDurably, writeUnsettled } from './durable-file.ts';
import { parseLocation, printLocation } from './location.ts';
import { guardedPath } from './path-guard.ts';
import type { ByteRange, LocalCopy, Storage, StoredObject, WriteOptions } from './storage.ts';
import { checkRange, fileError, isErrno, nothingAt, tooShort } from './storage-error.ts';

/** No waiting for a pipe's writer, and no link that was put there since the path was judged. */
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Files on local disk, at `file:///abs/path`. Whatever lies outside the roots, also by way of a link, is FORBIDDEN. */
export class LocalStorage implements Storage {
  readonly #roots: readonly string[];
  /** By directory with unsettled files, the topmost that was made for it: their entries are to be made durable too. */
  readonly #made = new Map<string, string>();

  /** `roots` are paths or locations of directories; they need not exist yet. */
  constructor(options: { readonly roots: readonly string[] }) {
    this.#roots = options.roots.map((root) => (root.includes(':') ? toPath(root) : resolve(root)));
  }

  async read(location: string, range?: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
    if (range !== undefined) checkRange(location, range);
    return await this.#at(location, async (path) => {
      const file = await open(path, readFlags);
      try {
        const status = await file.stat();
        if (!status.isFile()) throw nothingAt(location);
        const { start, end } = range ?? { start: 0, end: status.size };
        if (end > status.size) throw tooShort(location, { start, end }, status.size);
        const bytes = into?.length === end - start ? into : Buffer.allocUnsafeSlow(end - start);
        let filled = 0;
        while (filled < bytes.length) {
          const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (bytesRead === 0) throw tooShort(location, { start, end }, start + filled);
          filled += bytesRead;
        }
        return bytes;
      } finally {
        await file.close();
      }
    });
  }

  async size(location: string): Promise<number | null> {
    return await this.#at(location, async (path) => {
      const status = await statOrNull(path);
      return status?.isFile() ? status.size : null;
    });
  }

  async write(location: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
    const { ifAbsent = false, isUnsettled = false } = options;
    await this.#at(location, async (path) => {
      if (!isUnsettled) return await writeDurably(path, bytes, ifAbsent);
      const made = await writeUnsettled(path, bytes, ifAbsent);
      if (made !== undefined) this.#made.set(dirname(path), made);
    });
  }

  async settle(locations: readonly string[]): Promise<void> {
    const paths = await Promise.all(locations.map((location) => this.#at(location, async (path) => path)));
    await Promise.all(
      [...new Set(paths.map((path) => dirname(path)))].map(async (directory) => {
        const made = this.#made.get(directory);
        await syncDirectories(directory, made);
        if (made !== undefined) this.#made.delete(directory);
      }),
    );
  }

  async publish(localPath: string, location: string): Promise<void> {
    await this.#at(location, (path) => moveDurably(localPath, path));
  }

  async open(location: string): Promise<LocalCopy> {
    return await this.#at(location, async (path) => {
      if (!(await stat(path)).isFile()) throw nothingAt(location);
      return { path, release: () => undefined };
    });
  }

  async remove(locations: readonly string[]): Promise<void> {
    for (let at = 0; at < locations.length; at += storageRequestsMax) {
      await Promise.all(locations.slice(at, at + storageRequestsMax).map((location) => this.#removeOne(location)));
    }
  }

  /** The files below a directory, in no particular order; links are neither listed nor followed. Nothing where there is no directory. */
  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    const path = toPath(prefix);
    // Locations are given as they were asked for, so that they compare with what metadata says.
    const real = await this.#at(prefix, async (guarded) => guarded);
    try {
      for await (const file of walk(real, signal)) {
        yield { ...file, location: printLocation({ scheme: 'file', path: path + file.location.slice(real.length) }) };
      }
    } catch (error) {
      throw fileError(prefix, error);
    }
  }

  async #removeOne(location: string): Promise<void> {
    await this.#at(location, async (path) => {
      await unlink(path).catch((error: unknown) => {
        if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR') && !isErrno(error, 'EISDIR')) throw error;
      });
    });
  }

  async #at<T>(location: string, act: (path: string) => Promise<T>): Promise<T> {
    try {
      return await act(await guardedPath(location, toPath(location), this.#roots));
    } catch (error) {
      throw fileError(location, error);
    }
  }
}

/** The path of a `file:` location. Throws BAD_USER_INPUT for other schemes. */
export function toPath(location: string): string {
  const parsed = parseLocation(location);
  if (parsed.scheme === 'file') return parsed.path;
  throw new IcecoreError('BAD_USER_INPUT', `The location ${location} is not on local disk.`, { context: { location } });
}

/** `file:///abs/path` of a path; relative ones are taken from the working directory. */
export function toLocation(path: string): string {
  return printLocation({ scheme: 'file', path: resolve(path) });
}

/** The files below a directory with their paths as `location`. What vanishes meanwhile is left out. */
async function* walk(directory: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
  signal?.throwIfAborted();
  for await (const entry of entriesOf(directory)) {
    signal?.throwIfAborted();
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path, signal);
    if (!entry.isFile()) continue;
    const status = await statOrNull(path);
    if (status !== null) yield { location: path, sizeBytes: status.size, modifiedMs: Math.floor(status.mtimeMs) };
  }
}

async function* entriesOf(directory: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
  }
}

async function statOrNull(path: string): Promise<{ size: number; mtimeMs: number; isFile(): boolean } | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
    throw error;
  }
}
