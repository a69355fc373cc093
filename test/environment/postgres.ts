import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { PostgresOrder, PostgresReport } from './postgres-process.ts';

const script = join(import.meta.dirname, 'postgres-process.ts');
const startAttemptsMax = 3;

/** A real Postgres on a free port of 127.0.0.1, with its files under the directory for temporary ones. */
export class PostgresServer {
  readonly port: number;
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess, port: number) {
    this.#keeper = keeper;
    this.port = port;
  }

  static async start(): Promise<PostgresServer> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const directory = await mkdtemp(join(tmpdir(), 'icecore-postgres-'));
      // In a group of its own, so that an interrupt at the terminal does not end it before what uses it.
      const keeper = fork(script, [directory, String(port)], { detached: true, execArgv: [], stdio: 'ignore' });
      const server = new PostgresServer(keeper, port);
      try {
        await server.#done('start');
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else may have taken the port between its choice and its use.
        if (attempt === startAttemptsMax) throw error;
      }
    }
  }

  /** `postgres://…` of a database of this server. */
  uri(database: string): string {
    return `postgres://icecore:secret-of-the-tests@127.0.0.1:${this.port}/${database}`;
  }

  /** A new, empty database; its name. */
  async createDatabase(): Promise<string> {
    const name = `test_${randomBytes(6).toString('hex')}`;
    await this.query('postgres', `CREATE DATABASE ${name}`);
    return name;
  }

  async dropDatabase(name: string): Promise<void> {
    await this.query('postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  }

  /** The rows of one statement, over a connection of its own. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of any shape
  async query(database: string, sql: string, values: readonly unknown[] = []): Promise<readonly any[]> {
    const client = new Client(this.uri(database));
    await client.connect();
    try {
      return (await client.query(sql, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends all connections and shuts down, as an administrator would. */
  halt(): Promise<void> {
    return this.#order('stop');
  }

  /** Dies in the middle of whatever it is doing. */
  crash(): Promise<void> {
    return this.#order('crash');
  }

  /** Starts again after `halt` or `crash`. */
  resume(): Promise<void> {
    return this.#order('start');
  }

  /** Ends it for good and removes its files. */
  async stop(): Promise<void> {
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const ended = once(this.#keeper, 'exit');
    if (this.#keeper.connected) this.#keeper.disconnect();
    await ended;
  }

  async #order(order: PostgresOrder): Promise<void> {
    const done = this.#done(order);
    this.#keeper.send(order);
    await done;
  }

  #done(order: PostgresOrder): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`the process that keeps Postgres ended while it was to ${order} it`));
      this.#keeper.once('exit', ended);
      this.#keeper.once('message', (report: PostgresReport) => {
        this.#keeper.off('exit', ended);
        if ('failed' in report) reject(new Error(`Postgres could not ${order}: ${report.failed}`));
        else resolve();
      });
    });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
