import type { PoolClient, QueryResult } from 'pg';
import type { Row } from '../row.ts';
import { prepared } from './prepared.ts';

/** The one connection that writes. Statements are sent without waiting for the answers of those before them. */
export class Writer {
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Of a statement that begins or ends a transaction. */
  control(sql: string): Promise<QueryResult> {
    return this.#client.query(sql);
  }

  query(sql: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return this.#client.query<Row>(prepared(sql, values));
  }

  /** To the next transaction, or, where it may be broken, to nobody. */
  release(isSound: boolean): void {
    this.#client.release(!isSound);
  }
}
