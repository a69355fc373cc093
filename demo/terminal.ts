const isTerminal = process.stdout.isTTY === true;

/** What the demo says while it works: one line a step, rewritten in place where the terminal can. */
export class Terminal {
  readonly #startMs = performance.now();
  #line = '';
  #lineStartMs = 0;

  title(text: string): void {
    console.log(isTerminal ? `\n\u001b[1m${text}\u001b[0m` : `\n${text}`);
  }

  /** A step that is under way. */
  begin(text: string): void {
    this.#line = text;
    this.#lineStartMs = performance.now();
    if (isTerminal) process.stdout.write(`  … ${text}`);
  }

  progress(text: string): void {
    if (isTerminal) process.stdout.write(`\r\u001b[2K  … ${this.#line}  ${text}`);
  }

  done(text = this.#line): void {
    const seconds = ((performance.now() - this.#lineStartMs) / 1000).toFixed(1);
    const line = `  ✓ ${text}  (${seconds} s)`;
    console.log(isTerminal ? `\r\u001b[2K${line}` : line);
  }

  note(text: string): void {
    console.log(`    ${text}`);
  }

  get elapsedSeconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }
}
