import { fstatSync } from 'node:fs';

/** What is written to a file within so long of its last change may leave its times as they are: they tick. */
const settledMs = 2000;
/** Of one file in memory, about, beside a byte a part. */
const entryBytes = 200;

/**
 * Which parts of block files were read by this thread and found to be what was written, since their file was last changed: it can tell by
 * the file's times, which any write moves.
 */
export class CheckedParts {
  readonly #bytesMax: number;
  /** By state of the file, in order of last use. */
  readonly #files = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A byte for each of the parts of a file in this state: 1 where it was checked, which its reader sets. */
  of(state: string, parts: number): Uint8Array {
    const checked = this.#files.get(state) ?? new Uint8Array(parts);
    if (!this.#files.delete(state)) this.#bytes += entryBytes + parts;
    this.#files.set(state, checked);
    for (const [oldest, { length }] of this.#files) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#files.delete(oldest);
      this.#bytes -= entryBytes + length;
    }
    return checked;
  }
}

/** Of an open file: another one after any write to it. Null where it changed so lately that the next write may not show. */
export function fileState(file: number, nowMs = Date.now()): string | null {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  const changedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const isSettled = BigInt(nowMs - settledMs) * 1_000_000n > changedNs;
  return isSettled ? `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` : null;
}
