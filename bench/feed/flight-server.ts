import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServingProcess } from './figures.ts';

/** The pyarrow Flight server over the same files, in a process of its own. */
export class FlightServer implements ServingProcess {
  readonly url: string;
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string, pid: number) {
    this.#child = child;
    this.url = url;
    this.pid = pid;
  }

  static async start(python: string, files: readonly string[]): Promise<FlightServer> {
    const script = join(import.meta.dirname, 'flight_server.py');
    const child = spawn(python, [script, ...files], { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of createInterface(child.stdout)) {
      if (child.pid !== undefined) return new FlightServer(child, line.trim(), child.pid);
    }
    throw new Error('the Flight server ended before it listened');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
