import { setImmediate } from 'node:timers/promises';
import { IcecoreError } from '../../errors.ts';
import type { BoundExpression } from '../../iceberg/expression.ts';
import { predicateFieldIds } from '../../iceberg/expression-bind.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import { columnPath, type Schema } from '../../iceberg/schema.ts';
import { feedCountCopiesBytesMax, feedCountFilesMax, feedCountRowsMax } from '../../limits.ts';
import { refuseCutShort } from '../../sql/cut-short.ts';
import { predicateSql } from '../../sql/predicate-sql.ts';
import { fileColumn, rowColumn } from '../../tables/read-parquet.ts';
import { scanError } from '../../tables/scan-error.ts';
import { openScan } from '../../tables/scan-relation.ts';
import { noCounters } from '../../tables/snapshot-files.ts';
import type { Table } from '../../tables/table.ts';
import type { Tables } from '../../tables/tables.ts';
import { isByPosition, takeOutDeleted } from './feed-deleted-rows.ts';
import type { LiveRowsPlace } from './feed-groups.ts';
import { liveRowsDigest } from './feed-live-rows.ts';
import { matchesKey } from './feed-matches-key.ts';
import type { KeptRecords } from './kept-records.ts';
import { LiveBits } from './live-bits.ts';
import type { MatchFiles } from './match-files.ts';

/** What rows are held against. */
export interface MatchScope {
  readonly table: Table;
  readonly schema: Schema;
  readonly filter: BoundExpression;
}

/** A file, and the rows of each of its groups. */
export interface GroupedFile {
  readonly task: FileScanTask;
  readonly rowCounts: readonly number[];
}

/** Of each group of a file, in order. */
export interface FileMatches {
  readonly counts: readonly number[];
  /** Of the bits on disk; null where all rows match or none does. */
  readonly digests: readonly (string | null)[];
}

interface Work extends GroupedFile {
  readonly key: string;
  readonly rows: number;
}

/** How many bits DuckDB gives at a time. */
const bitsAtOnce = 65_536;
/** So many of them take about a millisecond. */
const bitsPerTurn = 64;

/**
 * Finds out which rows of a file are live and match: through DuckDB, reading the filter's columns alone, once; kept on local disk by what
 * decides about it.
 */
export class FeedMatches {
  readonly #tables: Tables;
  readonly #kept: KeptRecords;
  readonly #files: MatchFiles;

  constructor(tables: Tables, kept: KeptRecords, files: MatchFiles) {
    this.#tables = tables;
    this.#kept = kept;
    this.#files = files;
  }

  /** Of files that the engine reads as copies, which one statement holds in the cache of objects. */
  get #copiesBytesMax(): number {
    return this.#tables.readsObjects ? Number.POSITIVE_INFINITY : feedCountCopiesBytesMax;
  }

  /** Null for a file all of whose rows match, as far as that is known without looking into it. */
  keyOf({ table, schema, filter }: MatchScope, { task }: GroupedFile): string | null {
    if (task.deletes.length === 0 && task.residual.op === 'true') return null;
    return matchesKey(task, task.residual.op === 'true' ? task.residual : filter, schema, table.metadata);
  }

  /** By location, of the files that are not simply whole. Throws FAILED_PRECONDITION, naming the file, where one is damaged. */
  async count(scope: MatchScope, files: readonly GroupedFile[], signal?: AbortSignal): Promise<ReadonlyMap<string, FileMatches>> {
    const work = files.flatMap((each): Work[] => {
      const key = this.keyOf(scope, each);
      return key === null ? [] : [{ ...each, key, rows: each.rowCounts.reduce((sum, rowCount) => sum + rowCount, 0) }];
    });
    const found = new Map<string, FileMatches>();
    const kept = await this.#kept.get(work.map(({ key }) => key));
    const unknown: Work[] = [];
    for (const each of work) {
      const content = kept.get(each.key);
      if (content === undefined) unknown.push(each);
      else found.set(each.task.file.filePath, JSON.parse(content.toString()) as FileMatches);
    }
    for (const alike of Map.groupBy(unknown, wayOf).values()) {
      for (const chunk of chunksOf(alike, this.#copiesBytesMax)) {
        for (const [location, matches] of await this.#look(scope, chunk, signal)) found.set(location, matches);
      }
    }
    return found;
  }

  /** The bits of a group and where they lie, as they were counted; looks again where they are gone or torn. */
  async readBits(
    scope: MatchScope,
    file: GroupedFile,
    ordinal: number,
    signal?: AbortSignal,
  ): Promise<{ readonly place: LiveRowsPlace; readonly bits: Uint8Array }> {
    const key = this.keyOf(scope, file) ?? '';
    for (let attempt = 1; ; attempt++) {
      const matches = (await this.count(scope, [file], signal)).get(file.task.file.filePath);
      const digest = matches?.digests[ordinal];
      if (matches === undefined || digest == null) {
        throw new IcecoreError('INTERNAL', `Group ${ordinal} of ${file.task.file.filePath} has no rows to tell apart.`);
      }
      const partial = (index: number) => matches.digests[index] !== null;
      const sizes = file.rowCounts.map((rowCount, index) => (partial(index) ? Math.ceil(rowCount / 8) : 0));
      const offset = sizes.slice(0, ordinal).reduce((sum, size) => sum + size, 0);
      const place = { path: this.#files.path(key), offset, byteLength: sizes[ordinal] ?? 0, digest };
      const bits = await this.#files.read(place.path, offset, place.byteLength);
      if (bits !== null && liveRowsDigest(bits) === digest) return { place, bits };
      if (attempt > 1) {
        throw new IcecoreError('OVERLOADED', `The matching rows of ${file.task.file.filePath} do not stay in the cache.`, {
          retryable: true,
        });
      }
      const rows = file.rowCounts.reduce((sum, rowCount) => sum + rowCount, 0);
      await this.#look(scope, [{ ...file, key, rows }], signal);
    }
  }

  /** All of the work goes the same way. */
  async #look(
    scope: MatchScope,
    work: readonly Work[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, FileMatches>> {
    const bits = new Map(work.map(({ task, rows }) => [task.file.filePath, new LiveBits(rows)]));
    if (work.every((each) => wayOf(each) === 'by position')) {
      for (const live of bits.values()) live.setAll();
      const deleted = work.map(({ task }) => task);
      await takeOutDeleted(this.#tables, deleted, bits, signal);
    } else {
      await this.#scan(scope, work, bits, signal);
    }
    const found = new Map<string, FileMatches>();
    const records = new Map<string, Buffer>();
    for (const { task, key, rowCounts } of work) {
      await setImmediate();
      const matches = await this.#keep(key, rowCounts, bits.get(task.file.filePath) ?? new LiveBits(0));
      found.set(task.file.filePath, matches);
      records.set(key, Buffer.from(JSON.stringify(matches)));
    }
    await this.#kept.put(records);
    return found;
  }

  async #scan(
    { table, schema, filter }: MatchScope,
    work: readonly Work[],
    bits: ReadonlyMap<string, LiveBits>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const isFiltered = work.some((each) => wayOf(each) === 'by filter');
    const columns = isFiltered ? filterColumns(schema, filter) : [];
    const plan = { tasks: work.map(({ task }) => task), counters: noCounters };
    const scan = await openScan(this.#tables, { table, columns, withPosition: true }, schema, plan);
    try {
      await this.#tables.duckdb.trusted.use(async (connection) => {
        const condition = isFiltered ? ` WHERE ${predicateSql(schema, filter)}` : '';
        const result = await connection.stream(
          `SELECT ${fileColumn}, ${rowColumn} // ${bitsAtOnce} AS part, ` +
            `bitstring_agg((${rowColumn} % ${bitsAtOnce})::INTEGER, 0, ${bitsAtOnce - 1}) FROM ${scan.sql} AS r${condition} GROUP BY 1, 2`,
        );
        for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          signal?.throwIfAborted();
          for (const [index, [path, part, bit]] of chunk.getRows().entries()) {
            // Others have their turn in between.
            if (index % bitsPerTurn === bitsPerTurn - 1) await setImmediate();
            const location = scan.tasksByPath.get(String(path))?.file.filePath ?? '';
            const { data } = bit as unknown as { readonly data: Uint8Array };
            if (bits.get(location)?.take(data, Number(part) * bitsAtOnce) !== true) throw otherRows(location);
          }
        }
        refuseCutShort(result, 'The count of matching rows', signal);
      }, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw await scanError(this.#tables, scan, error, 'The count of matching rows');
    } finally {
      scan.release();
    }
  }

  async #keep(key: string, rowCounts: readonly number[], live: LiveBits): Promise<FileMatches> {
    const counts: number[] = [];
    const digests: (string | null)[] = [];
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const rowCount of rowCounts) {
      const { bits, count } = live.slice(from, rowCount);
      const isPartial = count > 0 && count < rowCount;
      if (isPartial) parts.push(bits);
      counts.push(count);
      digests.push(isPartial ? liveRowsDigest(bits) : null);
      from += rowCount;
    }
    if (parts.length > 0) await this.#files.write(key, Buffer.concat(parts));
    return { counts, digests };
  }
}

/** How it is found out which rows of a file match; files that go the same way are looked at together. */
function wayOf({ task }: Work): 'by filter' | 'by position' | 'by equality' {
  if (task.residual.op !== 'true') return 'by filter';
  return isByPosition(task) ? 'by position' : 'by equality';
}

/** The columns that a filter is about, each once: of a field in a struct, the struct. */
export function filterColumns(schema: Schema, filter: BoundExpression): readonly string[] {
  const ids = predicateFieldIds(filter);
  const paths = [...ids].flatMap((id) => columnPath(schema, id) ?? []);
  return schema.fields
    .map(({ name }) => name)
    .filter((name) => paths.some((path) => path === name || path.startsWith(`${name}.`)));
}

function* chunksOf(work: readonly Work[], copiesBytesMax: number): Generator<readonly Work[]> {
  let chunk: Work[] = [];
  let [rows, bytes] = [0, 0];
  for (const each of work) {
    const own = Number(each.task.file.fileSizeInBytes);
    const isFull = chunk.length >= feedCountFilesMax || rows + each.rows > feedCountRowsMax || bytes + own > copiesBytesMax;
    if (chunk.length > 0 && isFull) {
      yield chunk;
      chunk = [];
      [rows, bytes] = [0, 0];
    }
    chunk.push(each);
    rows += each.rows;
    bytes += own;
  }
  if (chunk.length > 0) yield chunk;
}

function otherRows(location: string): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The file ${location} has other rows than its footer says: it is damaged, or was written over. Put back what was written.`,
    { context: { file: location } },
  );
}
