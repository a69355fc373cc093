import { catalogPollMs } from '../../limits.ts';
import type { CommitEvent } from '../catalog.ts';
import { type Database, integer } from './database.ts';
import { headSeq } from './journal.ts';

/** Tells listeners of this process's commits as they happen, and of other connections' by looking every now and then. */
export class CommitWatch {
  readonly #database: Database;
  readonly #listeners = new Set<(event: CommitEvent) => void>();
  #timer: NodeJS.Timeout | null = null;
  #version: bigint;

  constructor(database: Database) {
    this.#database = database;
    this.#version = this.#readVersion();
  }

  add(listener: (event: CommitEvent) => void): () => void {
    if (this.#timer === null) {
      this.#version = this.#readVersion();
      this.#timer = setInterval(() => this.#look(), catalogPollMs).unref();
    }
    // A function of its own, so that one listener added twice is called and removed twice.
    const entry = (event: CommitEvent): void => listener(event);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.close();
    };
  }

  emit(event: CommitEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        // The commit stands; a listener's defect must not look like a failed commit.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    const version = this.#readVersion();
    if (version === this.#version) return;
    this.#version = version;
    this.emit({ pointers: [], headSeq: headSeq(this.#database) });
  }

  /** Changes whenever another connection has committed, and never by this connection's own commits. */
  #readVersion(): bigint {
    const row = this.#database.row('PRAGMA data_version');
    return row === undefined ? 0n : integer(row, 'data_version');
  }
}
