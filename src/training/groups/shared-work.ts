/** Work that several may wait for at once, done once for all of them; it is told to stop when nobody waits for it any more. */
export class SharedWork<T> {
  readonly #running = new Map<string, { readonly result: Promise<T>; readonly stop: AbortController; waiting: number }>();

  /** What `work` gives for this key; who waits for another's gets that. Throws the signal's reason as soon as it is aborted. */
  async of(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.waiting++;
    let giveUp: (() => void) | undefined;
    try {
      if (signal === undefined) return await running.result;
      const aborted = new Promise<never>((_resolve, reject) => {
        giveUp = () => reject(signal.reason);
        signal.addEventListener('abort', giveUp, { once: true });
      });
      return await Promise.race([running.result, aborted]);
    } finally {
      if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
      running.waiting--;
      if (running.waiting === 0) {
        // Whoever comes now begins anew.
        if (this.#running.get(key) === running) this.#running.delete(key);
        running.stop.abort();
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>) {
    const stop = new AbortController();
    const result = work(stop.signal);
    const running = { result, stop, waiting: 0 };
    this.#running.set(key, running);
    const forget = () => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    // Also keeps a failure that nobody waits for from being unhandled.
    result.then(forget, forget);
    return running;
  }
}
