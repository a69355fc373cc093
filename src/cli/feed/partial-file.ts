import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { IcecoreError } from '../../errors.ts';
import { parseJson, printJson } from '../../iceberg/json.ts';
import { printable } from '../printable.ts';
import { ArrowFile } from './arrow-file.ts';
import { type FeedFile, type FeedSoFar, nothingYet } from './feed-file.ts';
import type { FeedQuery } from './feed-query.ts';

/** How the names of files say their format (format: "IPC File Format": `.arrows` is a stream). */
const formats: Readonly<Record<string, 'file' | 'stream'>> = { '.arrow': 'file', '.feather': 'file', '.arrows': 'stream' };

export interface PartialFileOptions {
  /** What was asked for; null where an earlier try says that. */
  readonly query: FeedQuery | null;
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

  /** Throws BAD_USER_INPUT for a name that says no format. */
  static requireFormat(name: string): void {
    formatOf(name);
  }

  /** Throws FAILED_PRECONDITION where the file, or an earlier try, is in the way, or there is none to go on with. */
  static async open(name: string, options: PartialFileOptions): Promise<PartialFile> {
    const shown = printable(name);
    if (!options.isOverwritten && (await exists(name))) throw refused(`${shown} is there already: --overwrite replaces it.`);
    if (options.isResumed) return await PartialFile.#resume(name, options);
    if (options.query === null) throw new IcecoreError('BAD_USER_INPUT', 'Give either --training-set or --table.');
    if (options.isOverwritten) await removePartial(name);
    const [path, note] = [`${name}.partial`, `${name}.partial.json`];
    try {
      await writeFile(note, printJson(options.query), { flag: 'wx' });
      return new PartialFile(name, options.query, await ArrowFile.create(path, formatOf(name)), nothingYet);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw fileError(error);
      throw refused(`An earlier try has left ${printable(path)}: --resume goes on with it, --overwrite begins anew.`);
    }
  }

  static async #resume(name: string, { query }: PartialFileOptions): Promise<PartialFile> {
    try {
      const noted = parseJson(await readFile(`${name}.partial.json`, 'utf8')) as FeedQuery;
      if (query !== null && printJson(query) !== printJson(noted)) {
        throw refused(`The earlier try asked for something else, ${printable(printJson(noted))}: leave those flags out.`);
      }
      const { file, soFar } = await ArrowFile.reopen(`${name}.partial`, formatOf(name));
      return new PartialFile(name, noted, file, soFar);
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
    await this.file.close().catch(() => undefined);
    if (!isKept) await removePartial(this.#name);
  }
}

function formatOf(name: string): 'file' | 'stream' {
  const format = formats[/\.[a-z]+$/i.exec(name)?.[0].toLowerCase() ?? ''];
  if (format !== undefined) return format;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `--out takes a name that ends in ${Object.keys(formats).join(', ')}, not "${printable(name)}".`,
  );
}

async function removePartial(name: string): Promise<void> {
  await rm(`${name}.partial`, { force: true });
  await rm(`${name}.partial.json`, { force: true });
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
