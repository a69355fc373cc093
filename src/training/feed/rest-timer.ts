/** Does something once there was no work for a while, each time anew. Keeps no process alive. */
export class RestTimer {
  readonly #ms: number;
  readonly #rest: () => void;
  #timer: NodeJS.Timeout | null = null;
  #working = 0;

  constructor(ms: number, rest: () => void) {
    this.#ms = ms;
    this.#rest = rest;
  }

  /** Something is worked at until `end`. */
  begin(): void {
    this.#working++;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  end(): void {
    if (--this.#working === 0) this.#timer = setTimeout(this.#rest, this.#ms).unref();
  }
}
