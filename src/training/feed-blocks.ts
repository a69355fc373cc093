import type { Data } from 'apache-arrow';
import { BlockFile } from '../arrow/block-file.ts';
import { feedFilesOpenMax } from '../limits.ts';
import { ByteLru } from '../tables/byte-lru.ts';
import type { GroupFile } from './feed-worker-messages.ts';

/**
 * The blocks that a worker reads, and the rows of shuffled ones: those used last stay in memory up to a limit, whichever feed they
 * are for. A feed that stalls holds none.
 */
export class FeedBlocks {
  readonly #blocks: ByteLru<readonly Data[]>;
  readonly #rows: ByteLru<Uint16Array>;
  /** In order of last use; closed when they leave. */
  readonly #files = new Map<string, BlockFile>();

  constructor(bytesMax: number) {
    // What is shuffled takes two bytes a row, a hundredth of most rows.
    this.#blocks = new ByteLru(bytesMax * 0.9);
    this.#rows = new ByteLru(bytesMax * 0.1);
  }

  /** The columns of a block; null where its file is gone or is not what it was. */
  block(file: GroupFile, block: number): readonly Data[] | null {
    const name = `${block} ${file.key}`;
    const known = this.#blocks.get(name);
    if (known !== undefined) return known;
    const read = this.#file(file)?.read(block) ?? null;
    if (read === null) this.#close(file.path);
    else this.#blocks.set(name, read, bytesOf(read));
    return read;
  }

  /** A reader is through with a block: others read it from its file. */
  drop({ key }: GroupFile, block: number): void {
    this.#blocks.delete(`${block} ${key}`);
  }

  /** The rows of a block in an order that `make` makes; null where they are read as they stand. */
  rows(name: string, make: () => Uint16Array | null): Uint16Array | null {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const rows = make();
    if (rows !== null) this.#rows.set(name, rows, rows.byteLength);
    return rows;
  }

  close(): void {
    for (const path of [...this.#files.keys()]) this.#close(path);
  }

  #file({ path, key }: GroupFile): BlockFile | null {
    const open = this.#files.get(path);
    if (open !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, open);
      return open;
    }
    const file = BlockFile.open(path, key);
    if (file === null) return null;
    this.#files.set(path, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= feedFilesOpenMax) break;
      this.#close(oldest);
    }
    return file;
  }

  #close(path: string): void {
    this.#files.get(path)?.close();
    this.#files.delete(path);
  }
}

/** Of all columns, which lie on one buffer. */
function bytesOf(columns: readonly Data[]): number {
  return columns.reduce((sum, column) => sum + column.byteLength, 0);
}
