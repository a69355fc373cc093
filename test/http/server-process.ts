import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server in a process of its own, as `npm start` runs it, over a new store: what it does to memory can be measured. */
export class ServerProcess {
  readonly origin: string;
  readonly directory: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, origin: string, directory: string) {
    this.#child = child;
    this.origin = origin;
    this.directory = directory;
  }

  /** Resolves when it listens; over a store of its own unless `catalog` is given. */
  static async start(environment: Readonly<Record<string, string>> = {}, catalog?: string): Promise<ServerProcess> {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-process-'));
    const main = join(import.meta.dirname, '../../src/main.ts');
    const child = fork(main, ['serve', '--port', '0', '--catalog', catalog ?? `sqlite:${directory}/catalog.sqlite`], {
      cwd: directory,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ICECORE_STOP_WITH_PARENT: 'true', ...environment },
    });
    let complaints = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    if (child.stdout === null) throw new Error('the server has no output');
    for await (const line of createInterface(child.stdout)) {
      const origin = /GraphiQL: (http:\S+)\/graphql/.exec(line)?.[1];
      if (origin !== undefined) {
        child.stdout.resume();
        return new ServerProcess(child, origin, directory);
      }
    }
    throw new Error(`the server ended before it listened: ${complaints}`);
  }

  /** The answer's data. Throws where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  async data(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const response = await fetch(`${this.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown };
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Resident memory in bytes: what it is now, and the most it was. */
  memory(): { readonly residentBytes: number; readonly peakBytes: number } {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
    return { residentBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
  }

  /** From now on, the most that `memory` tells is counted anew. */
  async forgetPeak(): Promise<void> {
    await writeFile(`/proc/${this.#child.pid}/clear_refs`, '5');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}
