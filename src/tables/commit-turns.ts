/**
 * Turns at committing, by table: writers of one process wait for each other here instead of losing races against each other in the
 * catalog. Writers of other processes are met by the catalog's compare and swap.
 */
export class CommitTurns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs `work` once every earlier holder of any of these keys is done. */
  async take<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    // All places in line are taken in one go, before anything is awaited: so two takers of two keys never wait for each other.
    let release = () => {};
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    const unique = [...new Set(keys)];
    const before = unique.map((key) => this.#last.get(key));
    const mine = Promise.all(before).then(() => done);
    for (const key of unique) this.#last.set(key, mine);
    await Promise.all(before);
    try {
      return await work();
    } finally {
      release();
      for (const key of unique) if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
