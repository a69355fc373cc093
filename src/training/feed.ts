import type { RecordBatch, Schema } from 'apache-arrow';
import { arrowSchema } from '../arrow/arrow-type.ts';
import { RecordBatchBuilder } from '../arrow/record-batch.ts';
import { IcecoreError } from '../errors.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import type { Schema as TableSchema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { feedsReadAtOnceMax } from '../limits.ts';
import { refuseCutShort } from '../sql/cut-short.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { parsePredicate } from '../sql/predicate.ts';
import { predicateSql } from '../sql/predicate-sql.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { resolveAsOf, schemaAsOf } from '../tables/resolve-as-of.ts';
import { scanError } from '../tables/scan-error.ts';
import { openScan, type ScanRelation } from '../tables/scan-relation.ts';
import { planSnapshot, type SnapshotPlan } from '../tables/snapshot-files.ts';
import type { AsOf, Table, TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { requireSnapshot } from './feature-pins.ts';
import { differs, type FeedCursor, filterHash, parseFeedCursor, printFeedCursor, resumedOrder } from './feed-cursor.ts';
import { feedOrder, feedShare, type TrainingFeedInput } from './feed-input.ts';
import { batchEnd, planRank, rankSql, smaller } from './feed-share.ts';
import { columnsOf, type FeedWork, positionColumn, rowsSql } from './feed-work.ts';
import { splitColumn } from './split.ts';
import type { TrainingSet } from './training-set.ts';

export interface TrainingFeedsOptions {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  /** A training set, the newest version where none is named. Throws NOT_FOUND. */
  readonly trainingSet: (name: string, version: number | null) => Promise<TrainingSet>;
  /** The version of a training set whose rows are this snapshot; null where there is none. */
  readonly trainingSetAt: (name: string, snapshotId: bigint) => Promise<TrainingSet | null>;
}

export interface TrainingFeedBatch {
  /** Has memory of its own. */
  readonly recordBatch: RecordBatch;
  readonly rowCount: number;
  /** Counted from the cursor that was given. */
  readonly globalBatch: bigint;
  /** The end of this global batch: the same on every rank. */
  readonly cursor: string;
  /** True on this rank's last batch of the epoch. A stream that ends without it was cut. */
  readonly last: boolean;
}

export interface TrainingFeed {
  /** With `icecore.snapshot-id`, `icecore.rows-total` and `icecore.epoch` in its metadata. */
  readonly schema: Schema;
  /** Rows of the whole epoch, over all ranks. */
  readonly rowsTotal: bigint;
  /** Null for a table without one. */
  readonly snapshotId: bigint | null;
  readonly epoch: number;
  /** Pulled: nothing is read ahead of the reader but the engine's bounded buffer. Leaving it frees the scan. Read once. */
  readonly batches: AsyncGenerator<TrainingFeedBatch, void, undefined>;
}

/**
 * Rows of a training set or table as Arrow batches of exact size, in an order that depends on (snapshot, filter and split, shuffle, seed,
 * epoch) alone (semantics, section 2). Decodes and sorts through DuckDB; ranks take slices.
 */
export class TrainingFeeds {
  readonly #options: TrainingFeedsOptions;
  /** Feeds that hold a connection of the engine. */
  #reading = 0;

  constructor(options: TrainingFeedsOptions) {
    this.#options = options;
  }

  /**
   * Settles what is read and counts it. Throws BAD_USER_INPUT, NOT_FOUND, CONFLICT where the cursor was made with something else,
   * FAILED_PRECONDITION for what is not built yet.
   */
  async open(input: TrainingFeedInput, signal?: AbortSignal): Promise<TrainingFeed> {
    this.#refuseBeyondLimit();
    const share = feedShare(input);
    const asked = feedOrder(input);
    const cursor = input.cursor == null ? null : parseFeedCursor(input.cursor);
    const order = cursor === null ? asked : resumedOrder(cursor, asked);
    const { table, snapshot, schema } = await this.#source(input, cursor);
    const { condition, where, hash } = await this.#filter(input, schema, cursor, signal);
    const plan = await planSnapshot(this.#options.tables.files, table.metadata, snapshot, {
      schema,
      ...(where === null ? {} : { where }),
      ...(signal === undefined ? {} : { signal }),
    });
    const rowsTotal = await this.#count(table, schema, plan, condition, signal);
    const columns = columnsOf(schema, input.columns);
    const snapshotId = snapshot?.snapshotId ?? null;
    const position: Omit<FeedCursor, 'position'> = { ...order, snapshotId: snapshotId ?? 0n, filterHash: hash };
    const arrow = arrowSchema(
      columns,
      new Map([
        ['icecore.snapshot-id', String(snapshotId ?? '')],
        ['icecore.rows-total', String(rowsTotal)],
        ['icecore.epoch', String(order.epoch)],
      ]),
    );
    const work: FeedWork = {
      table,
      schema,
      plan,
      condition,
      columns,
      arrow,
      order,
      share,
      start: cursor?.position ?? 0n,
      rowsTotal,
      cursorAt: (at) => printFeedCursor({ ...position, position: at }),
      signal,
    };
    return { schema: arrow, rowsTotal, snapshotId, epoch: order.epoch, batches: this.#batches(work) };
  }

  async #source(
    input: TrainingFeedInput,
    cursor: FeedCursor | null,
  ): Promise<{ readonly table: Table; readonly snapshot: Snapshot | null; readonly schema: TableSchema }> {
    const { tables, trainingSet, trainingSetAt } = this.#options;
    if ('trainingSet' in input.source) {
      const { name, version } = input.source.trainingSet;
      const resumed = version == null && cursor !== null ? await trainingSetAt(name, cursor.snapshotId) : null;
      const data: TableSnapshotRef = (resumed ?? (await trainingSet(name, version ?? null))).data;
      if (cursor !== null && data.snapshotId !== cursor.snapshotId) throw differs('snapshot', cursor.snapshotId, data.snapshotId);
      const pinned = await requireSnapshot(tables, data);
      return { ...pinned, schema: schemaAsOf(pinned.table, { snapshotId: data.snapshotId }, pinned.snapshot) };
    }
    const { name, asOf } = input.source.table;
    const table = await tables.load(parseIdentifier(name));
    const resumed: AsOf | undefined = cursor === null || cursor.snapshotId === 0n ? undefined : { snapshotId: cursor.snapshotId };
    const at = asOf ?? resumed;
    const snapshot = resolveAsOf(table, at);
    if (cursor !== null && (snapshot?.snapshotId ?? 0n) !== cursor.snapshotId) {
      throw differs('snapshot', cursor.snapshotId, snapshot?.snapshotId ?? 'none');
    }
    return { table, snapshot, schema: schemaAsOf(table, at, snapshot) };
  }

  async #filter(
    input: TrainingFeedInput,
    schema: TableSchema,
    cursor: FeedCursor | null,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly condition: string | null; readonly where: Expression | null; readonly hash: string }> {
    const parts: Expression[] = [];
    if (input.where != null) parts.push(await parsePredicate(this.#options.duckdb, input.where, signal));
    if (input.split != null) {
      if (!schema.fields.some((field) => field.name === splitColumn)) {
        throw new IcecoreError(
          'BAD_USER_INPUT',
          `There is no split ${input.split} to read: the rows were not split. Make the training set with \`split\`, or leave it out.`,
        );
      }
      parts.push({ op: 'eq', column: splitColumn, literal: input.split });
    }
    const [first, second] = parts;
    const where: Expression | null =
      first === undefined ? null : second === undefined ? first : { op: 'and', left: first, right: second };
    const hash = filterHash(where);
    if (cursor !== null && cursor.filterHash !== hash) {
      throw new IcecoreError(
        'CONFLICT',
        'The cursor was made with another `where` or `split`. Give the same ones, or begin the epoch anew.',
      );
    }
    const condition = where === null ? null : predicateSql(schema, bindExpression(schema, where));
    return { condition, where, hash };
  }

  /** Known from the metadata where nothing is filtered and nothing deleted; else counted, reading what the filter needs. */
  async #count(
    table: Table,
    schema: TableSchema,
    plan: SnapshotPlan,
    condition: string | null,
    signal: AbortSignal | undefined,
  ): Promise<bigint> {
    if (condition === null && plan.tasks.every((task) => task.deletes.length === 0)) {
      return plan.tasks.reduce((sum, task) => sum + task.file.recordCount, 0n);
    }
    const { tables, duckdb } = this.#options;
    const scan = await openScan(tables, { table }, schema, plan);
    try {
      return await duckdb.trusted.use(async (connection) => {
        const reader = await connection.runAndReadAll(`SELECT count(*) FROM ${scan.sql} AS r WHERE ${condition ?? 'true'}`);
        return BigInt(String(reader.getRows()[0]?.[0]));
      }, signal);
    } finally {
      scan.release();
    }
  }

  async #noRows({ columns, arrow, signal }: FeedWork): Promise<RecordBatch> {
    const nulls = columns.map(({ name, type }) => `CAST(NULL AS ${duckDbTypeText(type)}) AS ${quoteIdentifier(name)}`);
    return await this.#options.duckdb.trusted.use(async (connection) => {
      const result = await connection.run(`SELECT ${nulls.join(', ')} WHERE false`);
      return new RecordBatchBuilder(arrow, result.columnTypes(), 1).take();
    }, signal);
  }

  async *#batches(work: FeedWork): AsyncGenerator<TrainingFeedBatch, void, undefined> {
    const { share, start, rowsTotal, signal } = work;
    const rank = planRank(share, start, rowsTotal);
    if (rank.batches === 0n) {
      const cursor = work.cursorAt(smaller(start, rowsTotal));
      yield { recordBatch: await this.#noRows(work), rowCount: 0, globalBatch: 0n, cursor, last: true };
      return;
    }
    this.#refuseBeyondLimit();
    this.#reading++;
    let scan: ScanRelation | null = null;
    try {
      scan = await openScan(this.#options.tables, { table: work.table, withPosition: true }, work.schema, work.plan);
      const lease = await this.#options.duckdb.trusted.lease(signal);
      try {
        const result = await lease.connection.stream(rowsSql(work, scan, rankSql(share, start, rank, positionColumn)));
        const builder = new RecordBatchBuilder(work.arrow, result.columnTypes(), share.batchSize);
        let batch = 0n;
        let rowsSeen = 0n;
        const next = (recordBatch: RecordBatch): TrainingFeedBatch => {
          const globalBatch = batch++;
          const cursor = work.cursorAt(batchEnd(share, start, rowsTotal, globalBatch));
          return { recordBatch, rowCount: recordBatch.numRows, globalBatch, cursor, last: batch === rank.batches };
        };
        for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          rowsSeen += BigInt(chunk.rowCount);
          for (const recordBatch of builder.append(chunk)) {
            signal?.throwIfAborted();
            yield next(recordBatch);
          }
        }
        refuseCutShort(result, 'The training feed', signal);
        if (rowsSeen !== rank.rows) {
          throw new IcecoreError('INTERNAL', `A training feed of ${rank.rows} rows ended after ${rowsSeen}.`);
        }
        if (builder.rows > 0) yield next(builder.take());
      } catch (error) {
        signal?.throwIfAborted();
        throw await scanError(this.#options.tables, scan, error, 'The training feed');
      } finally {
        lease.connection.interrupt();
        lease.release();
      }
    } finally {
      this.#reading--;
      scan?.release();
    }
  }

  /** A reader may stall for as long as it likes, and holds a connection: those of others must not run out. */
  #refuseBeyondLimit(): void {
    if (this.#reading < feedsReadAtOnceMax) return;
    throw new IcecoreError(
      'OVERLOADED',
      `${this.#reading} training feeds are being read from this server already. Try again later.`,
      {
        retryable: true,
      },
    );
  }
}
