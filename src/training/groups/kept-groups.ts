import { join } from 'node:path';
import type { BoundExpression } from '../../iceberg/expression.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import {
  feedFootersBytesMax,
  feedGroupsMemoryBytesMax,
  feedMatchesBytesMax,
  feedRecordsBytesMax,
  feedRecordsMemoryBytesMax,
  feedSqlFilesCountedMax,
} from '../../limits.ts';
import { ByteLru } from '../../tables/byte-lru.ts';
import { refuseUnreadable } from '../../tables/scan-relation.ts';
import { planSnapshot, readManifestList } from '../../tables/snapshot-files.ts';
import type { Tables } from '../../tables/tables.ts';
import type { FeedRows } from '../feed/feed-source.ts';
import type { LiveRowsPlace } from './feed-groups.ts';
import { readFooters } from './feed-groups-footer.ts';
import { SqlDecodes } from './feed-groups-sql.ts';
import { FeedMatches } from './feed-matches.ts';
import { filterKey, nameMappingProperty } from './feed-matches-key.ts';
import { GroupTable } from './group-table.ts';
import { KeptRecords } from './kept-records.ts';
import { MatchFiles } from './match-files.ts';
import { OpenedGroups } from './opened-groups.ts';
import { ParsedFooters } from './parsed-footers.ts';
import { SharedWork } from './shared-work.ts';

export interface KeptGroupsOptions {
  readonly tables: Tables;
  /** A local directory for what is known of files: all of it can be found out again. */
  readonly directory: string;
}

/** The groups that feeds are made of: found out once for all feeds of the same rows, and kept. */
export class KeptGroups {
  /** Groups that `src/parquet` did not read. */
  readonly sqlDecodes = new SqlDecodes(feedSqlFilesCountedMax);
  readonly #tables: Tables;
  readonly #records: KeptRecords;
  readonly #matches: FeedMatches;
  readonly #groups = new ByteLru<GroupTable>(feedGroupsMemoryBytesMax);
  readonly #footers = new ParsedFooters(feedFootersBytesMax);
  readonly #planning = new SharedWork<readonly FileScanTask[]>();
  readonly #finding = new SharedWork<GroupTable>();
  readonly #looking = new SharedWork<LiveRowsPlace>();

  constructor({ tables, directory }: KeptGroupsOptions) {
    this.#tables = tables;
    const limits = { diskBytesMax: feedRecordsBytesMax, memoryBytesMax: feedRecordsMemoryBytesMax };
    this.#records = new KeptRecords(join(directory, 'records'), limits);
    const files = new MatchFiles(join(directory, 'matches'), feedMatchesBytesMax);
    this.#matches = new FeedMatches(tables, this.#records, files);
  }

  /**
   * The groups of what a feed reads: planned, their footers read, their matching rows counted, all of it unless it is known. Throws FORBIDDEN
   * where a file is not for the caller at hand, FAILED_PRECONDITION, naming the file, where one cannot be read.
   */
  async open(rows: FeedRows, signal?: AbortSignal): Promise<OpenedGroups> {
    const { access, files } = this.#tables;
    const { table, snapshot } = rows;
    // What is known was found out for others, so each caller is judged anew, before any file is looked into.
    if (snapshot !== null) await readManifestList(files, table.metadata, snapshot);
    const key = groupsKey(rows);
    const known = this.#groups.get(key);
    const tasks = known?.files.map(({ task }) => task) ?? (await access.asServer(() => this.#plan(key, rows, signal)));
    const locations = tasks.flatMap(({ file, deletes }) => [file, ...deletes].map(({ filePath }) => filePath));
    await files.judge(table.metadata, locations);
    const groups = known ?? (await access.asServer(() => this.#find(key, rows, tasks, signal)));
    return new OpenedGroups({
      tables: this.#tables,
      matches: this.#matches,
      looking: this.#looking,
      sqlDecodes: this.sqlDecodes,
      footers: this.#footers,
      groups,
      rows,
    });
  }

  async #plan(key: string, rows: FeedRows, signal: AbortSignal | undefined): Promise<readonly FileScanTask[]> {
    const { table, snapshot, schema, where, filter } = rows;
    const plan = async (stop: AbortSignal) => {
      const options = { schema, signal: stop, ...(where === null ? {} : { where }) };
      const { tasks } = await planSnapshot(this.#tables.files, table.metadata, snapshot, options);
      return tasks.flatMap((task) => (task.residual.op === 'false' ? [] : keptTask(task, filter)));
    };
    return await this.#planning.of(key, plan, signal);
  }

  async #find(key: string, rows: FeedRows, tasks: readonly FileScanTask[], signal: AbortSignal | undefined): Promise<GroupTable> {
    const find = async (stop: AbortSignal) => {
      for (const task of tasks) refuseUnreadable(task);
      const dataFiles = tasks.map(({ file }) => file);
      const footers = await readFooters(this.#tables.storage, this.#records, dataFiles, this.#footers, stop);
      const files = tasks.map((task) => ({ task, rowCounts: footers.get(task.file.filePath)?.rowCounts ?? [] }));
      const groups = new GroupTable(tasks, footers, await this.#matches.count(rows, files, stop));
      this.#groups.set(key, groups, groups.bytes);
      return groups;
    };
    return await this.#finding.of(key, find, signal);
  }
}

const none = new Map<number, never>();
const noMetrics = {
  columnSizes: none,
  valueCounts: none,
  nullValueCounts: none,
  nanValueCounts: none,
  lowerBounds: none,
  upperBounds: none,
  splitOffsets: null,
};

/** A task without what has served to plan it: tables have many files, and their tasks are held for long. */
function keptTask({ file, residual, ...task }: FileScanTask, filter: BoundExpression): FileScanTask {
  return { ...task, file: { ...file, ...noMetrics }, residual: residual.op === 'true' ? residual : filter };
}

/** What decides about the groups. */
function groupsKey({ table, snapshot, schema, filter }: FeedRows): string {
  const mapping = table.metadata.properties[nameMappingProperty] ?? null;
  return JSON.stringify([table.uuid, String(snapshot?.snapshotId ?? ''), filterKey(filter), schema.schemaId, mapping]);
}
