import { once } from 'node:events';
import { type Served, type ServerOptions, startIcecore } from '../../demo/processes.ts';
import type { DemoStore } from '../../demo/store.ts';
import type { KillMoment } from './kill-moment.ts';

/** What a test looks at when the server is up again, before anything that was cut is repeated. */
type Inspect = () => Promise<void>;

/** A server on a store that is killed with -9 at given moments, and started again on the same store. */
export class MortalServer {
  readonly #store: DemoStore;
  readonly #options: ServerOptions;
  readonly #moments: KillMoment[];
  readonly #calls = new Map<string, number>();
  readonly #deaths: KillMoment[] = [];
  #served: Served;
  readonly #timers: NodeJS.Timeout[] = [];
  #up: Promise<void> = Promise.resolve();
  inspect: Inspect = async () => undefined;

  private constructor(store: DemoStore, options: ServerOptions, moments: readonly KillMoment[], served: Served) {
    this.#store = store;
    this.#options = options;
    this.#moments = [...moments];
    this.#served = served;
  }

  static async start(store: DemoStore, options: ServerOptions, moments: readonly KillMoment[]): Promise<MortalServer> {
    return new MortalServer(store, options, moments, await startIcecore(store, options));
  }

  get url(): string {
    return this.#served.url;
  }

  get deaths(): readonly KillMoment[] {
    return this.#deaths;
  }

  /** To be told of each call as it is sent. */
  called(operation: string): void {
    const nth = (this.#calls.get(operation) ?? 0) + 1;
    this.#calls.set(operation, nth);
    const at = this.#moments.findIndex((moment) => moment.operation === operation && moment.nth === nth);
    const [moment] = at < 0 ? [] : this.#moments.splice(at, 1);
    if (moment === undefined) return;
    this.#timers.push(setTimeout(() => this.#die(moment), moment.afterMs));
  }

  /** Resolves when the server is up, inspected if it was killed before, and not about to be killed again. */
  async standing(): Promise<void> {
    for (let up: Promise<void> | null = null; up !== this.#up; ) {
      up = this.#up;
      await up;
    }
  }

  /** After a call that broke: resolves when the server is up again. Throws `cause` where the server was not killed meanwhile. */
  async upAgain(deathsBefore: number, cause: unknown): Promise<void> {
    if (this.#deaths.length === deathsBefore) throw cause;
    await this.standing();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#up.catch(() => undefined);
    await this.#served.stop();
  }

  /** Where the last death is not yet over, right after it. */
  #die(moment: KillMoment): void {
    this.#up = this.#up.then(() => {
      this.#deaths.push(moment);
      return this.#restart();
    });
    // Thrown to those who wait for it, which may be nobody yet.
    this.#up.catch(() => undefined);
  }

  async #restart(): Promise<void> {
    const { process: child } = this.#served;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    this.#served = await startIcecore(this.#store, this.#options);
    await this.inspect();
  }
}
