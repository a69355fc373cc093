import { setTimeout as pause } from 'node:timers/promises';
import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig, type QueryResult, types } from 'pg';
import {
  catalogBusyMsMax,
  catalogConnectionsMax,
  catalogConnectMsMax,
  catalogIdleTransactionMsMax,
  catalogReadsWaitingMax,
  catalogReconnectPauseMsMax,
  catalogReconnectPauseMsMin,
  catalogStatementMsMax,
  catalogUnreachableMsMax,
} from '../../limits.ts';
import { catalogClosed, tooManyWaiting } from '../refusals.ts';
import type { Row } from '../row.ts';
import type { PostgresAddress } from './address.ts';
import { nothingWritten, troubleOf } from './database-error.ts';
import { prepared } from './prepared.ts';
import { Writer } from './writer.ts';

/**
 * The connections of one server to a Postgres database: several that read, one that writes. They are opened when needed, and opened again
 * after Postgres, or the way to it, was away. 64-bit integers come back as bigint.
 */
export class PostgresDatabase {
  /** `host:port/database`, for messages. */
  readonly printed: string;
  readonly #config: ClientConfig;
  readonly #readers: Pool;
  readonly #writers: Pool;
  readonly #unreachableMsMax: number;
  #closed = false;

  /** `unreachableMsMax`: how long a statement is tried again, or its fate asked for, while the database is away. */
  constructor({ printed, config }: PostgresAddress, unreachableMsMax: number = catalogUnreachableMsMax) {
    this.printed = printed;
    this.#unreachableMsMax = unreachableMsMax;
    this.#config = {
      ...config,
      application_name: 'icecore',
      keepAlive: true,
      keepAliveInitialDelayMillis: catalogConnectMsMax,
      connectionTimeoutMillis: catalogConnectMsMax,
      statement_timeout: catalogStatementMsMax,
      // Of a server that does not even say that it is late.
      query_timeout: catalogStatementMsMax + catalogConnectMsMax,
      lock_timeout: catalogBusyMsMax,
      idle_in_transaction_session_timeout: catalogIdleTransactionMsMax,
      types: { getTypeParser },
    };
    this.#readers = this.#pool({ ...this.#config, max: catalogConnectionsMax });
    this.#writers = this.#pool({ ...this.#config, max: 1, pipeline: true });
  }

  /** The rows of one SELECT, which sees one state of the database. Throws OVERLOADED where the database cannot be reached in time. */
  rows(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    return this.untilReached(async () => {
      const { rows } = await this.#read(sql, values);
      return rows;
    });
  }

  /** The number of rows that one statement changed. As it is made again after a lost connection, it must be one that may run twice. */
  change(sql: string, ...values: readonly unknown[]): Promise<number> {
    return this.untilReached(async () => (await this.#read(sql, values)).rowCount ?? 0);
  }

  /** To be released. */
  async writer(): Promise<Writer> {
    return new Writer(await this.#writers.connect());
  }

  /** One transaction, for the schema. Throws the driver's own errors. */
  async migrating(work: (transaction: PoolClient) => Promise<void>): Promise<void> {
    const client = await this.#readers.connect();
    let isSound = false;
    try {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      await work(client);
      await client.query('COMMIT');
      isSound = true;
    } finally {
      client.release(!isSound);
    }
  }

  /** A connection of its own for notifications; not yet connected. */
  listener(): Client {
    return new Client(this.#config);
  }

  /** Makes the attempt again while the database is away or restarts. Throws what `nothingWritten` makes of an error. */
  async untilReached<T>(attempt: () => Promise<T>): Promise<T> {
    const patience = this.patience();
    for (;;) {
      if (this.#closed) throw catalogClosed();
      try {
        return await attempt();
      } catch (error) {
        const trouble = troubleOf(error);
        const mayPass = trouble === 'lost' || trouble === 'repeatable';
        if (!mayPass || !(await patience())) throw nothingWritten(error, this.printed);
      }
    }
  }

  /** Pauses, longer each time; false once it has lasted too long. */
  patience(): () => Promise<boolean> {
    const started = performance.now();
    let tries = 0;
    return async () => {
      if (performance.now() - started > this.#unreachableMsMax) return false;
      await pause(reconnectPauseMs(tries));
      tries += 1;
      return true;
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#readers.end(), this.#writers.end()]);
  }

  #read(sql: string, values: readonly unknown[]): Promise<QueryResult<Row>> {
    const waiting = this.#readers.waitingCount;
    if (waiting >= catalogReadsWaitingMax) throw tooManyWaiting(waiting);
    return this.#readers.query<Row>(prepared(sql, values));
  }

  #pool(config: PoolConfig): Pool {
    const pool = new Pool(config);
    // A connection that breaks is replaced; whoever used it is told by the statement itself.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    return pool;
  }
}

/** Before the next try; doubles, with jitter, up to the longest. */
export function reconnectPauseMs(tries: number): number {
  return Math.min(catalogReconnectPauseMsMax, catalogReconnectPauseMsMin * 2 ** Math.min(tries, 16)) * (0.5 + Math.random() / 2);
}

const bigintOid = 20;

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return oid === bigintOid ? BigInt : types.getTypeParser(oid, format === 'binary' ? 'text' : format);
}
