import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { noMetrics } from '../../src/tables/position-deletes.ts';
import type { FeedOrder, FeedShare } from '../../src/training/feed/feed-input.ts';
import { epochOrder } from '../../src/training/order/epoch-order.ts';
import { rankBatches } from '../../src/training/order/rank-batches.ts';
import type { TestServer } from '../http/test-server.ts';

const groupRows = 2048;

/** What a row of the table holds, by its number. */
const rowSql = (from: string): string => `SELECT n, 'row ' || n AS text, CASE WHEN n % 5 = 0 THEN NULL ELSE n / 8 END AS share,
  CASE WHEN n % 4 = 0 THEN 'test' ELSE 'train' END AS split, [n, NULL] AS tags FROM ${from}`;

export interface ExpectedBatch {
  readonly globalBatch: number;
  readonly end: number;
  readonly last: boolean;
  readonly rows: readonly number[];
}

/** A table on a server, and beside it in memory which numbers each of its row groups still has: what a feed is held against. */
export class ModelledTable {
  readonly name: string;
  readonly #server: TestServer;
  /** Row groups in their order. */
  #groups: (readonly number[])[] = [];

  private constructor(server: TestServer, name: string) {
    this.#server = server;
    this.name = name;
  }

  static async create(server: TestServer, name: string): Promise<ModelledTable> {
    const table = new ModelledTable(server, name);
    await table.#ask('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', {
      name,
      columns: [
        { name: 'n', type: 'long', required: true },
        { name: 'text', type: 'string' },
        { name: 'share', type: 'double' },
        { name: 'split', type: 'string' },
        { name: 'tags', type: 'list<long>' },
      ],
      properties: { 'write.delete.mode': 'merge-on-read', 'write.merge.mode': 'merge-on-read' },
    });
    return table;
  }

  /** One file of one group. */
  async append(from: number, to: number): Promise<void> {
    await this.#write('APPEND', rowSql(`range(${from}, ${to}) r(n)`));
    this.#groups.push(numbers(from, to));
  }

  /** One file of many groups, as another writer might add it. */
  async appendGroups(from: number, to: number): Promise<void> {
    const { tables, duckdb } = this.#server.icecore;
    const local = join(this.#server.directory, `${randomUUID()}.parquet`);
    const ids = '{n: 1, text: 2, share: 3, split: 4, tags: {__duckdb_field_id: 5, element: 6}}';
    const options = `(FORMAT parquet, ROW_GROUP_SIZE ${groupRows}, FIELD_IDS ${ids})`;
    const copy = `COPY (${rowSql(`range(${from}, ${to}) r(n)`)}) TO '${local}' ${options}`;
    await duckdb.trusted.use((connection) => connection.run(copy));
    const fileSizeInBytes = BigInt((await stat(local)).size);
    const { metadata } = await tables.load(parseIdentifier(this.name));
    const filePath = `${metadata.location}/data/${randomUUID()}.parquet`;
    await tables.storage.publish(local, filePath);
    const place = { content: 'data', fileFormat: 'parquet', specId: 0, partition: [] } as const;
    const transaction = tables.transaction();
    const file = { ...noMetrics, ...place, filePath, fileSizeInBytes, recordCount: BigInt(to - from) };
    transaction.change(parseIdentifier(this.name), appendFiles([file]));
    await transaction.commit();
    for (let start = from; start < to; start += groupRows) this.#groups.push(numbers(start, Math.min(to, start + groupRows)));
  }

  async delete(rows: (n: number) => boolean, sql: string): Promise<void> {
    await this.#write('DELETE', `SELECT n FROM ${this.name} WHERE ${sql}`);
    this.#groups = this.#groups.map((group) => group.filter((n) => !rows(n)));
  }

  /** Rows that are there already move to a new file. */
  async upsert(from: number, to: number): Promise<void> {
    await this.#write('UPSERT', rowSql(`range(${from}, ${to}) r(n)`));
    this.#groups = this.#groups.map((group) => group.filter((n) => n < from || n >= to));
    this.#groups.push(numbers(from, to));
  }

  /** Numbers of all rows that match, in the order of their groups. */
  matching(matches: (n: number) => boolean): readonly (readonly number[])[] {
    return this.#groups.map((group) => group.filter(matches));
  }

  /** The batches of a rank from a position on, by `src/training/order` alone. */
  batches(matches: (n: number) => boolean, order: FeedOrder, share: FeedShare, start = 0): readonly ExpectedBatch[] {
    const groups = this.matching(matches);
    const epoch = epochOrder(
      Uint32Array.from(groups, ({ length }) => length),
      order,
    );
    const batches = rankBatches(epoch, share, start);
    const reader = epoch.reader();
    return Array.from({ length: batches.count }, (_, index) => {
      const { globalBatch, span, end, last } = batches.at(index);
      const addresses = reader.read(span);
      const rows = Array.from(addresses.groups, (place, row) => groups[place]?.[addresses.indices[row] ?? -1] ?? -1);
      return { globalBatch, end, last, rows };
    });
  }

  async #write(mode: string, sql: string): Promise<void> {
    const keys = mode === 'APPEND' ? {} : { keys: ['n'] };
    await this.#ask('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      table: this.name,
      mode,
      rows: { sql },
      ...keys,
    });
  }

  async #ask(query: string, input: object): Promise<void> {
    const { errors } = await this.#server.ask(query, { input });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
  }
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
