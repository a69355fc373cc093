import { catalogPollMs } from '../../limits.ts';
import type { CommitEvent } from '../catalog.ts';
import { CommitListeners } from '../commit-listeners.ts';
import { integer } from '../row.ts';
import type { Database } from './database.ts';
import { headSeq } from './journal.ts';

/** Tells listeners of this process's commits as they happen, and of other connections' by looking every now and then. */
export class CommitWatch {
  readonly #database: Database;
  readonly #listeners = new CommitListeners();
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
    const remove = this.#listeners.add(listener);
    return () => {
      remove();
      if (this.#listeners.size === 0) this.close();
    };
  }

  emit(event: CommitEvent): void {
    this.#listeners.emit(event);
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
