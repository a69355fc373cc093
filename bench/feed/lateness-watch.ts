const tickMs = 5;

/**
 * How late the event loop of this thread is for an event that comes at any moment: a stall of 100 ms counts for each of the 20 ticks
 * that it swallowed, not for one. It does not keep the process alive.
 */
export class LatenessWatch {
  #latenesses: number[] = [];
  #due = performance.now() + tickMs;

  constructor() {
    setTimeout(() => this.#tick(), tickMs).unref();
  }

  /** In milliseconds, since this was asked last. */
  p99Ms(): number {
    const sorted = this.#latenesses.sort((a, b) => a - b);
    this.#latenesses = [];
    return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
  }

  #tick(): void {
    const now = performance.now();
    for (; this.#due <= now; this.#due += tickMs) this.#latenesses.push(now - this.#due);
    setTimeout(() => this.#tick(), Math.max(0, this.#due - now)).unref();
  }
}
