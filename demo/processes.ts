import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type DemoStore, keyOf } from './store.ts';

export interface Served {
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly port: number;
  /** `DIR` or `s3://…`; the store's own directory where null. */
  readonly warehouse: string | null;
  readonly modelOrigin: string;
}

/** Icecore itself, as `npm start` runs it, on the demo's store. */
export async function startIcecore(store: DemoStore, options: ServerOptions): Promise<Served> {
  const args = ['serve', '--port', String(options.port), '--catalog', `sqlite:${store.directory}/catalog.sqlite`];
  args.push('--warehouse', options.warehouse ?? `${store.directory}/warehouse`);
  const child = fork(fileURLToPath(new URL('../src/main.ts', import.meta.url)), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ICECORE_API_KEYS: store.keysFile,
      ICECORE_GRANTS: store.grantsFile,
      ICECORE_FILE_ROOTS: store.deliveries,
      ICECORE_CACHE_DIR: `${store.directory}/cache`,
      ICECORE_ALLOWED_MODEL_ORIGINS: options.modelOrigin,
      ICECORE_GRAPHIQL_KEY: keyOf(store, 'vera'),
      ICECORE_STOP_WITH_PARENT: 'true',
    },
  });
  child.stdout?.resume();
  const url = `http://127.0.0.1:${options.port}`;
  await ready(`${url}/health/ready`, child);
  return { url, process: child, stop: () => stop(child) };
}

/** The small process that serves the model. */
export async function startModelServer(artifact: string, port: number): Promise<Served> {
  const script = fileURLToPath(new URL('./model-server.ts', import.meta.url));
  const child = fork(script, [artifact, String(port)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const url = `http://127.0.0.1:${port}`;
  await ready(`${url}/v2/health/ready`, child);
  return { url, process: child, stop: () => stop(child) };
}

/** `wanted` where it is free on loopback, else any free port. */
export async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(wanted, '127.0.0.1');
    await once(probe, 'listening');
  } catch {
    return freePort(0);
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : wanted;
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  while (Date.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`the process for ${url} ended with exit code ${child.exitCode}`);
    const response = await fetch(url).catch(() => null);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`${url} did not answer within a minute`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}
