import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ServerProcess } from '../../test/http/server-process.ts';
import type { ServingProcess } from './figures.ts';
import { scratchPrefix } from './rows.ts';

const waitMsMax = 60_000;

/** Icecore over the bench's table, in a process of its own, with an empty cache; its event loop is watched. */
export class IcecoreServer implements ServingProcess {
  readonly pid: number;
  readonly #server: ServerProcess;
  readonly #scratch: string;

  private constructor(server: ServerProcess, pid: number, scratch: string) {
    this.#server = server;
    this.pid = pid;
    this.#scratch = scratch;
  }

  /** `directory` holds the catalog and is where the cache is made, on the disk of the data. */
  static async start(directory: string): Promise<IcecoreServer> {
    const scratch = await mkdtemp(join(directory, scratchPrefix));
    const lateness = join(scratch, 'lateness.json');
    const server = await ServerProcess.start(
      {
        ICECORE_CACHE_DIR: join(scratch, 'cache'),
        ICECORE_BENCH_LATENESS_FILE: lateness,
        NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'event-loop-lateness.ts')).href}`,
      },
      `sqlite:${join(directory, 'catalog.sqlite')}`,
    );
    return new IcecoreServer(server, Number(await written(`${lateness}.pid`)), scratch);
  }

  get url(): string {
    return this.#server.origin;
  }

  /** Where its block files lie. */
  get feedCache(): string {
    return join(this.#scratch, 'cache', 'feeds');
  }

  get data(): ServerProcess['data'] {
    return this.#server.data.bind(this.#server);
  }

  /** How late the event loop was since this was asked last, p99 in milliseconds. */
  async latenessP99Ms(): Promise<number> {
    const file = join(this.#scratch, 'lateness.json');
    rmSync(file, { force: true });
    process.kill(this.pid, 'SIGUSR2');
    return (JSON.parse(await written(file)) as { readonly p99Ms: number }).p99Ms;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

async function written(file: string): Promise<string> {
  for (const endMs = performance.now() + waitMsMax; performance.now() < endMs; await pause(2)) {
    if (existsSync(file)) return readFileSync(file, 'utf8');
  }
  throw new Error(`the server did not write ${file}`);
}
