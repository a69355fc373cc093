import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from 'pg';
import { catalogWatchPollMs } from '../../limits.ts';
import { CommitListeners } from '../commit-listeners.ts';
import { catalogClosed } from '../refusals.ts';
import { integer, type Row } from '../row.ts';
import { type PostgresDatabase, reconnectPauseMs } from './database.ts';

/** The channel of the database on which commits are told: `origin head commits`. */
export const commitChannel = 'icecore';

/**
 * Tells listeners of commits: of this server's as they happen, of others' by Postgres's notifications, over a connection of its own. After
 * that was lost something may have been missed, so it wakes them then; and it looks every now and then whether it was told of everything.
 */
export class CommitWatch {
  readonly listeners = new CommitListeners();
  readonly #database: PostgresDatabase;
  readonly #origin: string;
  readonly #closing = new AbortController();
  /** Rejects once it is closed: the driver never ends a connection that is closed while it is made. */
  readonly #closed = once(this.#closing.signal, 'abort').then(() => Promise.reject(catalogClosed()));
  #client: Client | null = null;
  #watching: Promise<void> = Promise.resolve();
  /** Batches of which Postgres has told, counted over the life of the catalog. */
  #toldCommits = 0n;
  /** What the count was when it was last looked at. */
  #seenCommits = 0n;

  /** `origin` names this server in its own notifications. */
  constructor(database: PostgresDatabase, origin: string) {
    this.#database = database;
    this.#origin = origin;
    this.#closed.catch(() => undefined);
  }

  /** Resolves once commits made from now on are heard of. Throws where the database cannot be reached. */
  async start(): Promise<void> {
    const client = await this.#listen();
    this.#watching = this.#watch(client);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    await this.#client?.end();
  }

  async #watch(first: Client): Promise<void> {
    let client: Client | null = first;
    for (let tries = 0; !this.#closing.signal.aborted; tries += 1) {
      try {
        client ??= await this.#listen();
        if (tries > 0) await this.#wake(client);
        tries = 0;
        await this.#look(client);
      } catch {
        // It is tried again.
      }
      client?.end().catch(() => undefined);
      client = null;
      await pause(reconnectPauseMs(tries), undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  async #listen(): Promise<Client> {
    const client = this.#database.listener();
    this.#client = client;
    client.on('error', () => undefined);
    client.on('notification', ({ payload }) => this.#told(payload ?? ''));
    try {
      await Promise.race([client.connect(), this.#closed]);
      await client.query(`LISTEN ${commitChannel}`);
      const { commits } = await this.#counters(client);
      this.#toldCommits = commits > this.#toldCommits ? commits : this.#toldCommits;
      this.#seenCommits = commits;
      return client;
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
  }

  /** Until the connection is gone. It notices a silent death, too, since it asks something every now and then. */
  async #look(client: Client): Promise<void> {
    const ended = once(client, 'end').then(() => true);
    for (;;) {
      const slept = pause(catalogWatchPollMs, false, { signal: this.#closing.signal, ref: false }).catch(() => true);
      if (await Promise.race([ended, slept])) return;
      const { headSeq, commits } = await this.#counters(client);
      // What was counted the time before must have been told by now.
      const missed = this.#seenCommits > this.#toldCommits;
      this.#toldCommits = missed ? this.#seenCommits : this.#toldCommits;
      this.#seenCommits = commits;
      if (missed) this.listeners.emit({ pointers: [], headSeq });
    }
  }

  async #wake(client: Client): Promise<void> {
    const { headSeq } = await this.#counters(client);
    this.listeners.emit({ pointers: [], headSeq });
  }

  async #counters(client: Client): Promise<{ readonly headSeq: bigint; readonly commits: bigint }> {
    const { rows } = await client.query<Row>('SELECT head_seq, commits FROM icecore.counters');
    const [row] = rows;
    if (row === undefined) throw new TypeError('the catalog has no counters');
    return { headSeq: integer(row, 'head_seq'), commits: integer(row, 'commits') };
  }

  #told(payload: string): void {
    const match = /^(\S+) (\d+) (\d+)$/.exec(payload);
    if (match === null) return;
    const [, origin, headSeq = '0', commits = '0'] = match;
    this.#toldCommits = BigInt(commits) > this.#toldCommits ? BigInt(commits) : this.#toldCommits;
    if (origin !== this.#origin) this.listeners.emit({ pointers: [], headSeq: BigInt(headSeq) });
  }
}
