import { Terminal } from '../demo/terminal.ts';
import { timed } from './side-by-side.ts';

/** Stands in for the demo's terminal: says nothing, and keeps how long each step took. */
export class StepClock extends Terminal {
  readonly #seconds = new Map<string, number>();
  #step = '';
  #startMs = 0;

  override title(): void {}
  override progress(): void {}
  override note(): void {}

  override begin(text: string): void {
    this.#step = text;
    this.#startMs = performance.now();
  }

  override done(): void {
    this.#seconds.set(this.#step, (performance.now() - this.#startMs) / 1000);
  }

  async time(step: string, work: () => Promise<void>): Promise<void> {
    this.#seconds.set(step, await timed(work));
  }

  /** Of the step whose name begins so. */
  seconds(step: string): number {
    for (const [name, seconds] of this.#seconds) if (name.startsWith(step)) return seconds;
    throw new Error(`The demo has no step "${step}"; it has ${[...this.#seconds.keys()].join('; ')}.`);
  }
}
