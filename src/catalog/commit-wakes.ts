import type { Catalog } from './catalog.ts';

/** Whether something was committed since it was last asked; never more than one pending wake, however slow the reader. */
export class CommitWakes {
  #pending = false;
  #wake: (() => void) | null = null;
  readonly #stop: () => void;

  constructor(catalog: Catalog, signal: AbortSignal) {
    // Also where it names no tables: of another process's commit only that there was one is known.
    const unlisten = catalog.onCommit(() => this.#signal());
    const aborted = (): void => this.#signal();
    signal.addEventListener('abort', aborted, { once: true });
    this.#stop = () => {
      unlisten();
      signal.removeEventListener('abort', aborted);
    };
  }

  /** Resolves at the next commit, at once where there was one meanwhile, and when the signal aborts. */
  async next(): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#pending = false;
  }

  stop(): void {
    this.#stop();
  }

  #signal(): void {
    this.#pending = true;
    this.#wake?.();
    this.#wake = null;
  }
}
