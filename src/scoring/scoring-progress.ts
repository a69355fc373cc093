/** How far one go at a scoring run is. */
export class ScoringProgress {
  readonly #nowMs: () => number;
  #beganMs: number | null = null;
  #rowsBefore = 0;
  rowsDone = 0;
  rowsFailed = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Begins to count the time; what earlier goes at the run had done counts as rows, not as speed. */
  begin(rowsDone: number, rowsFailed: number): void {
    this.#beganMs = this.#nowMs();
    this.#rowsBefore = rowsDone;
    this.rowsDone = rowsDone;
    this.rowsFailed = rowsFailed;
  }

  add(rows: number, rowsFailed: number): void {
    this.rowsDone += rows;
    this.rowsFailed += rowsFailed;
  }

  /** Null before the first answer. */
  rowsPerSecond(): number | null {
    const rows = this.rowsDone - this.#rowsBefore;
    if (this.#beganMs === null || rows === 0) return null;
    return (rows * 1000) / Math.max(1, this.#nowMs() - this.#beganMs);
  }
}
