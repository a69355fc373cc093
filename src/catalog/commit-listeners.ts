import type { CommitEvent } from './catalog.ts';

/** Who is to hear of commits. */
export class CommitListeners {
  readonly #listeners = new Set<(event: CommitEvent) => void>();

  get size(): number {
    return this.#listeners.size;
  }

  /** Gives back how to remove it. */
  add(listener: (event: CommitEvent) => void): () => void {
    // A function of its own, so that one listener added twice is called and removed twice.
    const entry = (event: CommitEvent): void => listener(event);
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
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
}
