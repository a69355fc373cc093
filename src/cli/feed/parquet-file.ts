import { type FileHandle, open } from 'node:fs/promises';
import { cliFeedPageRows, cliFeedRowGroupBytes, cliFeedRowGroupRows } from '../../limits.ts';
import { type ArrowColumn, arrowColumns } from './arrow-column.ts';
import { type ArrowMessage, messageHead, metadataOf } from './arrow-message.ts';
import { type ArrowField, arrowFields } from './arrow-schema.ts';
import { type FeedFile, type FeedSoFar, nothingYet } from './feed-file.ts';
import { type ParquetColumns, parquetColumns } from './parquet-column.ts';
import { type ParquetGroup, parquetFooter, parquetMagic } from './parquet-footer.ts';
import { type ParquetCodec, type ParquetPage, parquetPage } from './parquet-page.ts';
import { writeParts } from './written-parts.ts';

/** What another process needs to go on behind the last row group. */
export interface ParquetState {
  /** The schema's message in base64. */
  readonly schema: string | null;
  readonly bytes: number;
  readonly groups: readonly ParquetGroup[];
  readonly cursor: string | null;
  readonly isComplete: boolean;
}

export const parquetBegin: ParquetState = {
  schema: null,
  bytes: parquetMagic.byteLength,
  groups: [],
  cursor: null,
  isComplete: false,
};

export interface ParquetOptions {
  readonly codec: ParquetCodec;
  /** Is told of every row group that is in the file. */
  readonly note: (state: ParquetState) => Promise<void>;
}

/** A Parquet file that a feed's batches are encoded into; held in memory are the pages of one row group, and batches until they fill a page. */
export class ParquetFile implements FeedFile {
  readonly #handle: FileHandle;
  readonly #options: ParquetOptions;
  #state: ParquetState;
  #fields: readonly ArrowField[] = [];
  #columns: ParquetColumns = { elements: [], leaves: [] };
  #metadata: ReadonlyMap<string, string> = new Map();
  /** Not in a page yet, and how many rows they have. */
  #batches: (readonly ArrowColumn[])[] = [];
  #pageRows = 0;
  /** By column, those of the row group that is being made. */
  #pages: ParquetPage[][] = [];
  #pending = { rows: 0, bytes: 0 };

  private constructor(handle: FileHandle, state: ParquetState, options: ParquetOptions) {
    this.#handle = handle;
    this.#state = state;
    this.#options = options;
  }

  /** Throws EEXIST where there is one. */
  static async create(path: string, options: ParquetOptions): Promise<ParquetFile> {
    const handle = await open(path, 'wx');
    await handle.write(parquetMagic, 0, parquetMagic.byteLength, 0);
    return new ParquetFile(handle, parquetBegin, options);
  }

  /** One that was begun earlier, cut off behind its last row group. Throws ENOENT. */
  static async reopen(
    path: string,
    state: ParquetState,
    options: ParquetOptions,
  ): Promise<{ readonly file: ParquetFile; readonly soFar: FeedSoFar }> {
    const handle = await open(path, 'r+');
    await handle.truncate(state.bytes);
    const file = new ParquetFile(handle, state, options);
    if (state.schema === null) return { file, soFar: nothingYet };
    const schema = { head: Buffer.from(state.schema, 'base64'), body: new Uint8Array() };
    file.#begin(schema);
    const rows = state.groups.reduce((sum, group) => sum + group.rows, 0);
    return { file, soFar: { schema, cursor: state.cursor, rows, isComplete: state.isComplete } };
  }

  async write(message: ArrowMessage): Promise<void> {
    const { kind, table, metadata } = messageHead(message.head);
    if (kind === 'SCHEMA') this.#begin(message);
    if (kind !== 'BATCH') return;
    const rows = Number(table.long(0));
    if (rows > 0) this.#batches.push(arrowColumns(table, message.body, this.#fields));
    this.#pageRows += rows;
    const isComplete = metadata.get('icecore.last') === 'true';
    this.#state = { ...this.#state, cursor: metadata.get('icecore.cursor') ?? null, isComplete };
    if (this.#pageRows >= cliFeedPageRows) await this.#encode();
    if (this.#pending.rows >= cliFeedRowGroupRows || this.#pending.bytes >= cliFeedRowGroupBytes) await this.keep();
  }

  /** Makes a page a column of the batches so far. */
  async #encode(): Promise<void> {
    const batches = this.#batches;
    if (batches.length === 0) return;
    const { leaves } = this.#columns;
    const pages = await Promise.all(leaves.map((leaf) => parquetPage(batches, leaf, this.#options.codec)));
    for (const [index, page] of pages.entries()) this.#pages[index]?.push(page);
    const bytes = pages.reduce((sum, page) => sum + page.storedBytes, this.#pending.bytes);
    this.#pending = { rows: this.#pending.rows + this.#pageRows, bytes };
    this.#batches = [];
    this.#pageRows = 0;
  }

  /** Writes what is pending as a row group. */
  async keep(): Promise<void> {
    await this.#encode();
    if (this.#pending.rows > 0) {
      let at = this.#state.bytes;
      const columns: ParquetGroup['columns'][number][] = [];
      for (const pages of this.#pages) {
        const sum = (member: 'storedBytes' | 'plainBytes' | 'valueCount') =>
          pages.reduce((total, page) => total + page[member], 0);
        columns.push({
          offset: at,
          storedBytes: sum('storedBytes'),
          plainBytes: sum('plainBytes'),
          valueCount: sum('valueCount'),
        });
        at = await writeParts(
          this.#handle,
          pages.flatMap((page) => page.bytes),
          at,
        );
      }
      const groups = [...this.#state.groups, { rows: this.#pending.rows, columns }];
      this.#state = { ...this.#state, bytes: at, groups };
      this.#pages = this.#pages.map(() => []);
      this.#pending = { rows: 0, bytes: 0 };
    }
    await this.#options.note(this.#state);
  }

  async finish(): Promise<number> {
    await this.keep();
    const rootChildren = this.#fields.length;
    const footer = parquetFooter(this.#columns, this.#state.groups, { ...this.#options, rootChildren, metadata: this.#metadata });
    const bytes = await writeParts(this.#handle, [footer], this.#state.bytes);
    await this.#handle.sync();
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #begin(schema: ArrowMessage): void {
    const { table } = messageHead(schema.head);
    this.#state = { ...this.#state, schema: Buffer.from(schema.head).toString('base64') };
    this.#fields = arrowFields(table);
    this.#columns = parquetColumns(this.#fields);
    this.#metadata = metadataOf(table, 2);
    this.#pages = this.#columns.leaves.map(() => []);
  }
}
