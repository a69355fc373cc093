import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { DecodeShare } from './decode-worker.ts';

/** What decoding a directory once took. */
export interface Decoding {
  readonly rows: number;
  /** Of the processor, in all threads. */
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

/** Our own reader in worker threads. Nothing else may happen in this process meanwhile. */
export class OurDecoder {
  readonly #workers: readonly Worker[];

  constructor(root: string, workers: number) {
    this.#workers = Array.from({ length: workers }, (_, worker) => {
      const workerData: DecodeShare = { root, worker, workers };
      return new Worker(new URL('decode-worker.ts', import.meta.url), { workerData });
    });
  }

  async decode(directory: string): Promise<Decoding> {
    const [usage, startMs] = [process.cpuUsage(), performance.now()];
    const counts = await Promise.all(
      this.#workers.map(async (worker) => {
        worker.postMessage(directory);
        const [rows] = (await once(worker, 'message')) as [number];
        return rows;
      }),
    );
    const { user, system } = process.cpuUsage(usage);
    const wallSeconds = (performance.now() - startMs) / 1000;
    return { rows: counts.reduce((sum, rows) => sum + rows, 0), cpuSeconds: (user + system) / 1e6, wallSeconds };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** pyarrow's dataset reader, in a process that stays. */
export class PyArrowDecoder {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string) {
    this.#process = spawn(python, [fileURLToPath(new URL('pyarrow_decode.py', import.meta.url))]);
    this.#process.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  async decode(directory: string, threads: number): Promise<Decoding> {
    this.#process.stdin.write(`${directory} ${threads}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error('pyarrow ended.');
    const [cpuSeconds = Number.NaN, wallSeconds = Number.NaN, rows = 0] = answer.value.split(' ').map(Number);
    return { rows, cpuSeconds, wallSeconds };
  }

  async stop(): Promise<void> {
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }
}
