import { join } from 'node:path';
import { IcecoreError } from '../errors.ts';
import {
  feedGroupsMemoryBytesMax,
  feedMatchesBytesMax,
  feedRecordsBytesMax,
  feedRecordsMemoryBytesMax,
  feedSqlFilesCountedMax,
} from '../limits.ts';
import { ByteLru } from '../tables/byte-lru.ts';
import { refuseUnreadable } from '../tables/scan-relation.ts';
import { planSnapshot, readManifestList } from '../tables/snapshot-files.ts';
import type { Tables } from '../tables/tables.ts';
import type { DecodeTask, FeedGroups, LiveRowsPlace } from './feed-groups.ts';
import { constantsOf, type ShapeColumns, shapeColumns } from './feed-groups-columns.ts';
import { type FileShape, readFooters } from './feed-groups-footer.ts';
import { blockKeyText } from './feed-groups-key.ts';
import { decodeGroupBySql, SqlDecodes } from './feed-groups-sql.ts';
import { FeedMatches, type GroupedFile } from './feed-matches.ts';
import { filterKey, nameMappingProperty } from './feed-matches-key.ts';
import type { FeedRows } from './feed-source.ts';
import { GroupTable } from './group-table.ts';
import { KeptRecords } from './kept-records.ts';
import { MatchFiles } from './match-files.ts';
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
  async open(rows: FeedRows, signal?: AbortSignal): Promise<FeedGroups> {
    const { access, files } = this.#tables;
    const { table, snapshot } = rows;
    // What is known was found out for others, so each caller is judged anew.
    if (snapshot !== null) await readManifestList(files, table.metadata, snapshot);
    const groups = await access.asServer(() => this.#find(rows, signal));
    const locations = groups.files.flatMap(({ task }) => [task.file, ...task.deletes].map(({ filePath }) => filePath));
    await files.judge(table.metadata, locations);
    return this.#opened(groups, rows);
  }

  async #find(rows: FeedRows, signal: AbortSignal | undefined): Promise<GroupTable> {
    const { table, snapshot, schema, where, filter } = rows;
    const mapping = table.metadata.properties[nameMappingProperty] ?? null;
    const key = JSON.stringify([table.uuid, String(snapshot?.snapshotId ?? ''), filterKey(filter), schema.schemaId, mapping]);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const find = async (stop: AbortSignal): Promise<GroupTable> => {
      const plan = await planSnapshot(this.#tables.files, table.metadata, snapshot, {
        schema,
        signal: stop,
        ...(where === null ? {} : { where }),
      });
      const tasks = plan.tasks.filter(({ residual }) => residual.op !== 'false');
      for (const task of tasks) refuseUnreadable(task);
      const footers = await readFooters(
        this.#tables.storage,
        this.#records,
        tasks.map(({ file }) => file),
        stop,
      );
      const files = tasks.map((task) => ({ task, rowCounts: footers.get(task.file.filePath)?.rowCounts ?? [] }));
      const groups = new GroupTable(tasks, footers, await this.#matches.count(rows, files, stop));
      this.#groups.set(key, groups, groups.bytes);
      return groups;
    };
    return await this.#finding.of(key, find, signal);
  }

  #opened(groups: GroupTable, rows: FeedRows): FeedGroups {
    const { access } = this.#tables;
    const { table, columns } = rows;
    const byShape = new Map<FileShape | null, ShapeColumns>();
    const columnsOf = (shape: FileShape | null): ShapeColumns => {
      const known = byShape.get(shape) ?? shapeColumns(shape, columns);
      byShape.set(shape, known);
      return known;
    };
    const at = (place: number) => {
      const group = groups.group(place);
      const index = groups.fileOf(place);
      const { rowCounts, shape } = groups.footers[index] ?? { rowCounts: [], shape: null };
      const task = groups.files[index]?.task;
      if (task === undefined) throw new IcecoreError('INTERNAL', `Group ${place} has no file.`);
      const { uncovered, missing } = columnsOf(shape);
      const file: GroupedFile = { task, rowCounts };
      const isPartial = group.matchingRows > 0 && group.matchingRows < group.rowCount;
      const constants = constantsOf(task.file, missing, table.metadata);
      return { group, file, uncovered, constants, isPartial };
    };
    const keyAt = (place: number, digest: string | null): string => {
      const { group, uncovered, constants } = at(place);
      const mapping = uncovered === null ? null : (table.metadata.properties[nameMappingProperty] ?? null);
      return blockKeyText({ group, columns, constants, digest, mapping });
    };
    return {
      count: groups.count,
      matchingRows: groups.matchingRows,
      files: groups.files,
      group: (place) => groups.group(place),
      blockKey: async (place, signal) => {
        const { file, group, isPartial } = at(place);
        if (!isPartial) return keyAt(place, null);
        const matches = await access.asServer(() => this.#matches.count(rows, [file], signal));
        return keyAt(place, matches.get(group.location)?.digests[group.ordinal] ?? null);
      },
      decodeTask: async (place, signal): Promise<DecodeTask> => {
        const { group, file, uncovered, constants, isPartial } = at(place);
        const liveRows = isPartial ? await this.#liveRows(rows, file, group.ordinal, signal) : null;
        return { ...group, fields: columns, constants, liveRows, key: keyAt(place, liveRows?.digest ?? null), uncovered };
      },
      decodeBySql: async (place, write, signal) => {
        const { group, file, uncovered } = at(place);
        await access.asServer(() => decodeGroupBySql(this.#tables, rows, columns, group, file.task, write, signal));
        this.sqlDecodes.add(group.location, uncovered ?? 'What a page holds');
      },
    };
  }

  async #liveRows(rows: FeedRows, file: GroupedFile, ordinal: number, signal: AbortSignal | undefined): Promise<LiveRowsPlace> {
    const key = `${ordinal} ${this.#matches.keyOf(rows, file)}`;
    return await this.#tables.access.asServer(() =>
      this.#looking.of(key, (stop) => this.#matches.bits(rows, file, ordinal, stop), signal),
    );
  }
}
