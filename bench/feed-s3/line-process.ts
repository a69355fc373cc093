import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A line to an object store, in a process of its own: it shall not slow those who read over it. */
export class LineProcess {
  /** Of the store, as it is reached over the line. */
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async start(store: string, bytesPerSecond: number, roundTripMs: number): Promise<LineProcess> {
    const child = fork(join(import.meta.dirname, 'line.ts'), [store, String(bytesPerSecond), String(roundTripMs)], {
      execArgv: [],
    });
    const [url] = await once(child, 'message');
    return new LineProcess(child, String(url));
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
