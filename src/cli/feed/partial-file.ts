import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { IcecoreError } from '../../errors.ts';
import { parseJson, printJson } from '../../iceberg/json.ts';
import { printable } from '../printable.ts';
import { ArrowFile } from './arrow-file.ts';
import { type FeedFile, type FeedSoFar, nothingYet } from './feed-file.ts';
import { feedFormat } from './feed-format.ts';
import type { FeedQuery } from './feed-query.ts';
import { ParquetFile, type ParquetOptions, type ParquetState, parquetBegin } from './parquet-file.ts';
import type { ParquetCodec } from './parquet-page.ts';

/** What `NAME.partial.json` holds. */
interface Note {
  readonly query: FeedQuery;
  readonly codec: ParquetCodec;
  /** Of a Parquet file, which says nothing of itself before its end. */
  readonly parquet: ParquetState;
}

export interface PartialFileOptions {
  /** What was asked for; null where an earlier try says that. */
  readonly query: FeedQuery | null;
  /** Of Parquet's pages. */
  readonly codec: ParquetCodec;
  readonly isResumed: boolean;
  readonly isOverwritten: boolean;
}

/**
 * A file on its way: `NAME.partial`, with `NAME.partial.json` beside it that says what was asked for, so that another process can go on.
 * Under its name it appears when it is whole.
 */
export class PartialFile {
  readonly path: string;
  readonly query: FeedQuery;
  readonly soFar: FeedSoFar;
  readonly file: FeedFile;
  readonly #name: string;

  private constructor(name: string, query: FeedQuery, file: FeedFile, soFar: FeedSoFar) {
    this.#name = name;
    this.path = `${name}.partial`;
    this.query = query;
    this.file = file;
    this.soFar = soFar;
  }

  /** Throws FAILED_PRECONDITION where the file, or an earlier try, is in the way, or there is none to go on with. */
  static async open(name: string, options: PartialFileOptions): Promise<PartialFile> {
    const shown = printable(name);
    if (!options.isOverwritten && (await exists(name))) throw refused(`${shown} is there already: --overwrite replaces it.`);
    if (options.isResumed) return await PartialFile.#resume(name, options);
    if (options.query === null) throw new IcecoreError('BAD_USER_INPUT', 'Give either --training-set or --table.');
    if (options.isOverwritten) await removePartial(name);
    const path = `${name}.partial`;
    const note: Note = { query: options.query, codec: options.codec, parquet: parquetBegin };
    try {
      await writeFile(`${path}.json`, printJson(note), { flag: 'wx' });
      const format = feedFormat(name);
      const file =
        format === 'parquet' ? await ParquetFile.create(path, parquetOptions(name, note)) : await ArrowFile.create(path, format);
      return new PartialFile(name, options.query, file, nothingYet);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw fileError(error);
      throw refused(`An earlier try has left ${printable(path)}: --resume goes on with it, --overwrite begins anew.`);
    }
  }

  static async #resume(name: string, { query }: PartialFileOptions): Promise<PartialFile> {
    try {
      const path = `${name}.partial`;
      const note = parseJson(await readFile(`${path}.json`, 'utf8')) as Note;
      if (query !== null && printJson(query) !== printJson(note.query)) {
        throw refused(`The earlier try asked for something else, ${printable(printJson(note.query))}: leave those flags out.`);
      }
      const format = feedFormat(name);
      const { file, soFar } =
        format === 'parquet'
          ? await ParquetFile.reopen(path, note.parquet, parquetOptions(name, note))
          : await ArrowFile.reopen(path, format);
      return new PartialFile(name, note.query, file, soFar);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw fileError(error);
      throw refused(`There is no ${printable(name)}.partial to go on with: leave --resume out.`);
    }
  }

  /** Gives the file its name; its size in bytes. */
  async finish(): Promise<number> {
    try {
      const bytes = await this.file.finish();
      await this.file.close();
      await rename(this.path, this.#name);
      await rm(`${this.path}.json`, { force: true });
      return bytes;
    } catch (error) {
      throw fileError(error);
    }
  }

  /** Leaves what there is to a later try, or nothing. */
  async leave({ isKept }: { readonly isKept: boolean }): Promise<void> {
    if (isKept) await this.file.keep().catch(() => undefined);
    await this.file.close().catch(() => undefined);
    if (!isKept) await removePartial(this.#name);
  }
}

/** Its note is rewritten with every row group: under another name first, so that there is always a whole one. */
function parquetOptions(name: string, note: Note): ParquetOptions {
  const path = `${name}.partial.json`;
  return {
    codec: note.codec,
    note: async (parquet) => {
      await writeFile(`${path}.new`, printJson({ ...note, parquet }));
      await rename(`${path}.new`, path);
    },
  };
}

async function removePartial(name: string): Promise<void> {
  await rm(`${name}.partial`, { force: true });
  await rm(`${name}.partial.json`, { force: true });
  await rm(`${name}.partial.json.new`, { force: true });
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** A full disk, a folder that there is not, or one that may not be written: said as it is, since only the person there can help. */
export function fileError(error: unknown): unknown {
  if (!(error instanceof Error) || IcecoreError.is(error) || !('syscall' in error)) return error;
  return refused(`The file cannot be written: ${error.message}.`, error);
}

function refused(message: string, cause?: unknown): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', message, { cause });
}
