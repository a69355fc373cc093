import type { Console } from '../console.ts';
import { printableLines } from '../printable.ts';
import type { FeedProgress } from './feed-progress.ts';

/** Redrawn so often on a terminal; said so often in a file or a pipe. */
const [terminalMs, fileMs] = [100, 10_000];
const clearLine = '\r\u001b[K';

/** A feed's progress as it goes: a bar that is drawn over itself on a terminal, a line now and then elsewhere. */
export class ProgressLine {
  readonly #progress: FeedProgress;
  readonly #console: Console;
  #shownMs = performance.now();
  #isDrawn = false;

  constructor(progress: FeedProgress, console: Console) {
    this.#progress = progress;
    this.#console = console;
  }

  show(): void {
    const { width, out } = this.#console;
    const nowMs = performance.now();
    if (this.#isDrawn || width === null ? nowMs - this.#shownMs < (width === null ? fileMs : terminalMs) : false) return;
    this.#shownMs = nowMs;
    if (width === null) {
      out(`${this.#progress.line()}\n`);
      return;
    }
    out(`${clearLine}${this.#progress.bar(width)}`);
    this.#isDrawn = true;
  }

  /** Something that went wrong on the way. */
  say(text: string): void {
    this.end();
    this.#console.err(`icecore: ${printableLines(text)}\n`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#isDrawn) this.#console.out(clearLine);
    this.#isDrawn = false;
  }
}
