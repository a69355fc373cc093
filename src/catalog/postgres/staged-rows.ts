/**
 * Rows of one table as a batch of changes finds and leaves them. Each change is tried on top of those before it; what it did is kept,
 * or discarded where it is refused. Nobody else can write meanwhile, so what is worked out here is what the table will hold.
 */
export class StagedRows<Row> {
  readonly #found = new Map<string, Row>();
  readonly #kept = new Map<string, Row | null>();
  readonly #tried = new Map<string, Row | null>();

  /** A row as the transaction read it. */
  found(key: string, row: Row): void {
    this.#found.set(key, row);
  }

  get(key: string): Row | null {
    const tried = this.#tried.get(key);
    if (tried !== undefined) return tried;
    const kept = this.#kept.get(key);
    return kept !== undefined ? kept : (this.#found.get(key) ?? null);
  }

  put(key: string, row: Row): void {
    this.#tried.set(key, row);
  }

  remove(key: string): void {
    this.#tried.set(key, null);
  }

  keep(): void {
    for (const [key, row] of this.#tried) this.#kept.set(key, row);
    this.#tried.clear();
  }

  discard(): void {
    this.#tried.clear();
  }

  /** The first that fits, of all that were found or put. */
  find(fits: (row: Row) => boolean): Row | null {
    for (const key of new Set([...this.#found.keys(), ...this.#kept.keys(), ...this.#tried.keys()])) {
      const row = this.get(key);
      if (row !== null && fits(row)) return row;
    }
    return null;
  }

  /** What was kept: the row as it was found, null where there was none, and as it will be, null where it goes. */
  *changes(): Generator<{ readonly key: string; readonly before: Row | null; readonly after: Row | null }> {
    for (const [key, after] of this.#kept) yield { key, before: this.#found.get(key) ?? null, after };
  }
}
