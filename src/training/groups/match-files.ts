import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { IcecoreError } from '../../errors.ts';
import { isErrno } from '../../storage/storage-error.ts';

/** Bits of matching rows on local disk, a file a data file; those used longest ago leave first. Any may be gone at any time. */
export class MatchFiles {
  readonly #directory: string;
  readonly #bytesMax: number;
  /** About as many as there are; null before they were looked over. */
  #bytes: number | null = null;

  constructor(directory: string, bytesMax: number) {
    this.#directory = directory;
    this.#bytesMax = bytesMax;
  }

  path(key: string): string {
    const name = createHash('sha256').update(key).digest('hex').slice(0, 40);
    return join(this.#directory, name.slice(0, 2), `${name}.bits`);
  }

  /** Readers see all of it or nothing. Throws OVERLOADED where the disk is full. */
  async write(key: string, bytes: Uint8Array): Promise<void> {
    const path = this.path(key);
    const temporary = `${path}.${randomUUID()}.tmp`;
    const put = async (): Promise<void> => {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, bytes);
      await rename(temporary, path);
    };
    try {
      // Once more where somebody removed the directory in between.
      await put().catch((error: unknown) => (isErrno(error, 'ENOENT') ? put() : Promise.reject(error)));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      if (!isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) throw error;
      throw new IcecoreError(
        'OVERLOADED',
        `The disk of the cache directory has no room for ${bytes.length} bytes of matching rows. Make room, or give it another.`,
        { cause: error, retryable: true },
      );
    }
    await this.#makeRoom(bytes.length);
  }

  /** Bytes of a file of these; null where there are not so many. Counts as a use. */
  async read(path: string, offset: number, byteLength: number): Promise<Uint8Array | null> {
    const file = await open(path, 'r').catch(() => null);
    if (file === null) return null;
    try {
      const bytes = new Uint8Array(byteLength);
      const { bytesRead } = await file.read(bytes, 0, byteLength, offset);
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return bytesRead === byteLength ? bytes : null;
    } finally {
      await file.close();
    }
  }

  async #makeRoom(added: number): Promise<void> {
    if (this.#bytes !== null) {
      this.#bytes += added;
      if (this.#bytes <= this.#bytesMax) return;
    }
    const files = await this.#list();
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    if (bytes > this.#bytesMax) {
      for (const { path, size } of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
        if (bytes <= this.#bytesMax * 0.8) break;
        await rm(path, { force: true }).catch(() => undefined);
        bytes -= size;
      }
    }
    this.#bytes = bytes;
  }

  async #list(): Promise<readonly { readonly path: string; readonly size: number; readonly usedMs: number }[]> {
    // The directory may be removed meanwhile.
    const entries = await readdir(this.#directory, { recursive: true, withFileTypes: true }).catch(() => []);
    const found = [];
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const status = await stat(path).catch(() => null);
      if (status !== null) found.push({ path, size: status.size, usedMs: status.mtimeMs });
    }
    return found;
  }
}
