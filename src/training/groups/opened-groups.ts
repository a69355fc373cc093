import type { BlockColumns } from '../../arrow/block-file-writer.ts';
import { IcecoreError } from '../../errors.ts';
import type { Literal, NestedField } from '../../iceberg/type.ts';
import type { Tables } from '../../tables/tables.ts';
import type { FeedRows } from '../feed/feed-source.ts';
import type { DecodeTask, FeedFile, FeedGroup, FeedGroups, LiveRowsPlace } from './feed-groups.ts';
import { constantsOf, type ShapeColumns, shapeColumns } from './feed-groups-columns.ts';
import type { FileShape } from './feed-groups-footer.ts';
import { blockKeyText } from './feed-groups-key.ts';
import { decodeGroupBySql, type SqlDecodes } from './feed-groups-sql.ts';
import type { FeedMatches, FileMatches, GroupedFile } from './feed-matches.ts';
import { nameMappingProperty } from './feed-matches-key.ts';
import type { GroupTable } from './group-table.ts';
import type { ParsedFooters } from './parsed-footers.ts';
import type { SharedWork } from './shared-work.ts';

export interface OpenedGroupsParts {
  readonly tables: Tables;
  readonly matches: FeedMatches;
  readonly looking: SharedWork<LiveRowsPlace>;
  readonly sqlDecodes: SqlDecodes;
  readonly footers: ParsedFooters;
  readonly groups: GroupTable;
  readonly rows: FeedRows;
}

/** A file of a feed with its columns. */
export interface OpenedFile extends GroupedFile {
  readonly columns: ShapeColumns;
  readonly constants: ReadonlyMap<number, Literal>;
}

/** The groups of what one feed or plan reads, in its columns. */
export class OpenedGroups implements FeedGroups {
  readonly #parts: OpenedGroupsParts;
  /** Most tables have files of a few shapes. */
  readonly #byShape = new Map<FileShape | null, ShapeColumns>();

  constructor(parts: OpenedGroupsParts) {
    this.#parts = parts;
  }

  get count(): number {
    return this.#parts.groups.count;
  }

  get matchingRows(): Uint32Array {
    return this.#parts.groups.matchingRows;
  }

  /** Those that are wanted. */
  get columns(): readonly NestedField[] {
    return this.#parts.rows.columns;
  }

  get files(): readonly FeedFile[] {
    return this.#parts.groups.files;
  }

  /** The places in `files` of those with a matching row. */
  get matchingFiles(): Uint32Array {
    return this.#parts.groups.matchingFiles;
  }

  group(place: number): FeedGroup {
    return this.#parts.groups.group(place);
  }

  /** By the file's place in `files`. */
  columnsOf(index: number): ShapeColumns {
    const shape = this.#parts.groups.footers[index]?.shape ?? null;
    const known = this.#byShape.get(shape) ?? shapeColumns(shape, this.columns);
    this.#byShape.set(shape, known);
    return known;
  }

  /** By its place in `files`. */
  file(index: number): OpenedFile {
    const { groups, rows } = this.#parts;
    const [file, footer] = [groups.files[index], groups.footers[index]];
    if (file === undefined || footer === undefined) throw new IcecoreError('INTERNAL', `There is no file ${index} in the feed.`);
    const columns = this.columnsOf(index);
    const constants = constantsOf(file.task.file, columns.missing, rows.table.metadata);
    return { task: file.task, rowCounts: footer.rowCounts, columns, constants };
  }

  async blockKey(place: number, signal?: AbortSignal): Promise<string> {
    const group = this.group(place);
    if (!isPartial(group)) return this.#key(group, null);
    const matches = await this.matchesOf(this.file(this.#parts.groups.fileOf(place)), signal);
    return this.#key(group, matches?.digests[group.ordinal] ?? null);
  }

  async decodeTask(place: number, signal?: AbortSignal): Promise<DecodeTask> {
    const { groups, rows, footers } = this.#parts;
    const group = this.group(place);
    const file = this.file(groups.fileOf(place));
    const liveRows = isPartial(group) ? await this.#liveRows(file, group.ordinal, signal) : null;
    const key = this.#key(group, liveRows?.digest ?? null);
    const { constants, columns } = file;
    const footer = footers.ofGroup(group.location, group.fileSizeBytes, group.ordinal);
    return { ...group, fields: rows.columns, constants, liveRows, key, uncovered: columns.uncovered, footer };
  }

  async decodeBySql(place: number, write: (block: BlockColumns) => void | Promise<void>, signal?: AbortSignal): Promise<void> {
    const { tables, groups, rows, sqlDecodes } = this.#parts;
    const group = this.group(place);
    const { task, columns } = this.file(groups.fileOf(place));
    await tables.access.asServer(() => decodeGroupBySql(tables, rows, rows.columns, group, task, write, signal));
    sqlDecodes.add(group.location, columns.uncovered ?? 'What a page holds');
  }

  /** The bits of a group of which some rows match and some do not. */
  async bits(place: number, signal?: AbortSignal): Promise<Uint8Array> {
    const { groups, matches, rows, tables } = this.#parts;
    const { ordinal } = this.group(place);
    const file = this.file(groups.fileOf(place));
    return (await tables.access.asServer(() => matches.readBits(rows, file, ordinal, signal))).bits;
  }

  /** Undefined for a file that nothing had to be counted of. */
  async matchesOf(file: GroupedFile, signal?: AbortSignal): Promise<FileMatches | undefined> {
    const { matches, rows, tables } = this.#parts;
    return (await tables.access.asServer(() => matches.count(rows, [file], signal))).get(file.task.file.filePath);
  }

  #key(group: FeedGroup, digest: string | null): string {
    const { table, columns } = this.#parts.rows;
    const file = this.file(this.#parts.groups.fileOf(group.place));
    const mapping = file.columns.uncovered === null ? null : (table.metadata.properties[nameMappingProperty] ?? null);
    return blockKeyText({ group, columns, constants: file.constants, digest, mapping });
  }

  async #liveRows(file: GroupedFile, ordinal: number, signal: AbortSignal | undefined): Promise<LiveRowsPlace> {
    const { looking, matches, rows, tables } = this.#parts;
    const key = `${ordinal} ${matches.keyOf(rows, file)}`;
    const look = async (stop: AbortSignal) => (await matches.readBits(rows, file, ordinal, stop)).place;
    return await tables.access.asServer(() => looking.of(key, look, signal));
  }
}

function isPartial({ matchingRows, rowCount }: FeedGroup): boolean {
  return matchingRows > 0 && matchingRows < rowCount;
}
