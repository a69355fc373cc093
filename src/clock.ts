/** Where the time comes from. Injected, so that tests live through months in seconds. */
export interface Clock {
  /** Microseconds since 1970-01-01T00:00:00Z. Never goes back within one process. */
  nowMicros(): bigint;
}

export const systemClock: Clock = monotonic(() => BigInt(Date.now()) * 1000n);

/** A clock that never returns less than it did before, whatever `read` does. */
export function monotonic(read: () => bigint): Clock {
  let last = 0n;
  return {
    nowMicros() {
      const now = read();
      if (now > last) last = now;
      return last;
    },
  };
}

/** A clock that stands still until it is moved; for simulations of days and months. */
export class ManualClock implements Clock {
  #nowMicros: bigint;

  constructor(startMicros: bigint) {
    this.#nowMicros = startMicros;
  }

  nowMicros(): bigint {
    return this.#nowMicros;
  }

  advance(byMicros: bigint): void {
    this.#nowMicros += byMicros;
  }
}

/** Milliseconds since the epoch, as Iceberg metadata keeps them. */
export function nowMs(clock: Clock): number {
  return Number(clock.nowMicros() / 1000n);
}
