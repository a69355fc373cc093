import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Api } from '../../demo/api.ts';

/** An engine that reads and writes; one that may also drop; a reader; somebody to whom nothing is granted. */
export type Subject = 'engine' | 'keeper' | 'reader' | 'stranger';

const roles: Readonly<Record<Subject, readonly string[]>> = {
  engine: ['scientist'],
  keeper: ['scientist', 'admin'],
  reader: ['viewer'],
  stranger: ['scientist', 'admin'],
};

const grants = [
  { subject: 'engine', on: '*', may: 'write' },
  { subject: 'keeper', on: '*', may: 'write' },
  { subject: 'keeper', on: 'icecore', may: 'read' },
  { subject: 'reader', on: 'shared', may: 'read' },
];

export interface RestServerOptions {
  /** `sqlite:…` in the server's own directory where not given. */
  readonly catalog?: string;
  /** In the server's own directory where not given. */
  readonly warehouse?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Icecore as `npm start` runs it, in a process of its own, with keys and grants in force. */
export class RestServer {
  readonly url: string;
  /** Its own: gone with the server. */
  readonly directory: string;
  readonly #child: ChildProcess;

  private constructor(url: string, directory: string, child: ChildProcess) {
    this.url = url;
    this.directory = directory;
    this.#child = child;
  }

  /** Resolves when it listens. It ends with this process, however that ends. */
  static async start(options: RestServerOptions = {}): Promise<RestServer> {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-rest-'));
    const keys = (Object.keys(roles) as Subject[]).map((subject) => {
      return { key: keyOf(subject), subject, kind: 'SERVICE', roles: roles[subject] };
    });
    await writeFile(join(directory, 'grants.json'), JSON.stringify(grants));
    const args = ['serve', '--port', '0', '--catalog', options.catalog ?? `sqlite:${directory}/catalog.sqlite`];
    args.push('--warehouse', options.warehouse ?? `${directory}/warehouse`);
    const child = fork(fileURLToPath(new URL('../../src/main.ts', import.meta.url)), args, {
      cwd: directory,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: {
        ...process.env,
        ICECORE_API_KEYS: JSON.stringify(keys),
        ICECORE_GRANTS: join(directory, 'grants.json'),
        ICECORE_CACHE_DIR: join(directory, 'cache'),
        ICECORE_STOP_WITH_PARENT: 'true',
        ...options.environment,
      },
    });
    const url = await addressOf(child);
    if (url !== null) return new RestServer(url, directory, child);
    await rm(directory, { recursive: true, force: true });
    throw new Error(`the server ended with exit code ${child.exitCode} before it listened`);
  }

  /** Where Iceberg's REST clients find the catalog. */
  get catalogUri(): string {
    return `${this.url}/iceberg`;
  }

  api(subject: Subject): Api {
    return new Api(this.url, keyOf(subject));
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

export function keyOf(subject: Subject): string {
  return `key-of-${subject}-000000000000`;
}

async function addressOf(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null;
  for await (const line of createInterface(child.stdout)) {
    const url = /GraphiQL: (http:\S+)\/graphql/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  return null;
}
