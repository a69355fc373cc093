import { hash } from 'node:crypto';
import { fstatSync, futimesSync } from 'node:fs';

/** What is written to a file within so long of its last change may leave its times as they are: they tick. */
const settledMs = 2000;
const backdatedMs = settledMs + 1000;
const entryBytes = BigInt64Array.BYTES_PER_ELEMENT;
/** Odd: the entries of one file take places of their own. */
const partStep = 0x9e3779b97f4a7c15n;

/**
 * Which parts of block files are what was written, since their file was last changed: a thread of this server wrote them, or read and
 * checked them. It can tell by the file's times, which any write moves. On memory that threads share. Of two parts that fall on the same
 * place the one that comes later is known: then the other is checked again.
 */
export class CheckedParts {
  readonly memory: SharedArrayBuffer;
  readonly #entries: BigInt64Array;

  /** On new memory of so many bytes, or on another thread's. */
  constructor(memory: number | SharedArrayBuffer) {
    this.memory = typeof memory === 'number' ? new SharedArrayBuffer(Math.ceil(memory / entryBytes) * entryBytes) : memory;
    this.#entries = new BigInt64Array(this.memory);
  }

  /** Those of a file in this state. */
  of(state: string): CheckedFile {
    return new CheckedFile(this.#entries, BigInt(`0x${hash('sha256', state).slice(0, 16)}`));
  }
}

/** The parts of one file in one state, which are numbered from 0 on. */
export class CheckedFile {
  readonly #entries: BigInt64Array;
  readonly #name: bigint;

  constructor(entries: BigInt64Array, name: bigint) {
    this.#entries = entries;
    this.#name = name;
  }

  /** Whether each of these is known to be what was written. */
  has(parts: readonly number[]): boolean {
    return this.#holds(-1) || parts.every((part) => this.#holds(part));
  }

  add(parts: readonly number[]): void {
    for (const part of parts) this.#put(part);
  }

  /** Of who wrote the file. */
  addAll(): void {
    this.#put(-1);
  }

  #holds(part: number): boolean {
    const entry = this.#entry(part);
    return Atomics.load(this.#entries, this.#place(entry)) === entry;
  }

  #put(part: number): void {
    const entry = this.#entry(part);
    Atomics.store(this.#entries, this.#place(entry), entry);
  }

  #entry(part: number): bigint {
    return BigInt.asIntN(64, this.#name + BigInt(part + 1) * partStep);
  }

  #place(entry: bigint): number {
    return Number(BigInt.asUintN(32, entry)) % this.#entries.length;
  }
}

/**
 * Of an open file: another one after any write to it. Null where it changed so lately that the next write may not show: a write sets both of
 * a file's times to the same, so where they lie apart it always does.
 */
export function fileState(file: number, nowMs = Date.now()): string | null {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  const settledNs = BigInt(settledMs) * 1_000_000n;
  const isApart = ctimeNs - mtimeNs > settledNs;
  const changedNs = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  const isSettled = isApart || BigInt(nowMs) * 1_000_000n - changedNs > settledNs;
  return isSettled ? `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` : null;
}

/** The time to give to a file that changed now: with it, the next write shows however soon it comes. In milliseconds. */
export function backdated(nowMs: number): number {
  return nowMs - backdatedMs;
}

/** Of an open file that is whole now. */
export function backdate(file: number): void {
  try {
    futimesSync(file, Date.now() / 1000, backdated(Date.now()) / 1000);
  } catch {
    // On a disk that keeps no times as they are given, it takes its time until the file counts as settled.
  }
}
