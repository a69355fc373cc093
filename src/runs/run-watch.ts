/** Wakes those who wait for a run to change. Holds no states: who wakes reads the newest one, so a slow reader skips, and nothing queues. */
export class RunWatch {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Wakes who waits for this run, or everybody. */
  wake(id?: string): void {
    const woken = id === undefined ? [...this.#waiting.values()] : [this.#waiting.get(id) ?? new Set()];
    for (const set of woken) for (const wake of [...set]) wake();
  }

  /** Begins to listen at once; `changed` resolves at the first change since the last call, or when the signal aborts. */
  listen(id: string, signal: AbortSignal | undefined): { changed(): Promise<void>; stop(): void } {
    let isChanged = false;
    let resume: (() => void) | null = null;
    const wake = (): void => {
      isChanged = true;
      resume?.();
    };
    const set = this.#waiting.get(id) ?? new Set();
    set.add(wake);
    this.#waiting.set(id, set);
    signal?.addEventListener('abort', wake, { once: true });
    return {
      changed: async () => {
        if (!isChanged) await new Promise<void>((resolve) => (resume = resolve));
        resume = null;
        isChanged = false;
      },
      stop: () => {
        signal?.removeEventListener('abort', wake);
        set.delete(wake);
        if (set.size === 0 && this.#waiting.get(id) === set) this.#waiting.delete(id);
      },
    };
  }
}
