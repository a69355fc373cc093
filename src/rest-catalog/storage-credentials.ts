import { readFile } from 'node:fs/promises';
import { IcecoreError } from '../errors.ts';
import { parseJson } from '../iceberg/json.ts';
import { type Location, liesUnder } from '../storage/location.ts';
import { parseStorageCredential, type StorageAccess, type StorageCredential } from './storage-credential.ts';

/** The credentials that a server gives to clients, so that they reach the files of tables themselves. */
export class StorageCredentials {
  readonly #all: readonly StorageCredential[];

  constructor(all: readonly StorageCredential[]) {
    this.#all = all;
  }

  /**
   * From ICECORE_STORAGE_CREDENTIALS: a JSON list, or the path of a file with one; undefined for none. `ownKeyId` is that of this server's
   * own keys. Throws BAD_USER_INPUT for what is malformed and where an entry has the server's own keys, NOT_FOUND for a missing file.
   */
  static async load(textOrPath: string | undefined, ownKeyId: string | undefined): Promise<StorageCredentials> {
    const given = textOrPath?.trim() ?? '';
    if (given === '') return new StorageCredentials([]);
    // A lone object is no path either: as one, its keys would be told in a message.
    const isInline = /^[[{]/.test(given);
    const where = isInline ? 'ICECORE_STORAGE_CREDENTIALS' : `ICECORE_STORAGE_CREDENTIALS, ${given}`;
    const list = parseListed(isInline ? given : await readList(given), where);
    const all = list.map((item, index) => parseStorageCredential(item, `${where}[${index}]`));
    const own = all.findIndex(({ keys }) => keys.accessKeyId === ownKeyId);
    if (own === -1) return new StorageCredentials(all);
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${where}[${own}] has the keys of this server itself, which may do everything in the warehouse: make an identity in the store that reaches the prefix alone, and give its keys.`,
    );
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /**
   * The one for a location: that of the longest prefix, one for the subject by name before one for everybody. A reader gets one that is
   * marked for reading or none; a writer one for writing, and where there is none, one for reading.
   */
  find(location: Location, access: StorageAccess, subject: string): StorageCredential | null {
    const fitting = this.#all.filter(
      ({ prefix, subjects }) => liesUnder(location, prefix) && (subjects === null || subjects.has(subject)),
    );
    const forReading = longest(fitting.filter((credential) => credential.access === 'read'));
    if (access === 'read') return forReading;
    return longest(fitting.filter((credential) => credential.access === 'write')) ?? forReading;
  }
}

function longest(credentials: readonly StorageCredential[]): StorageCredential | null {
  const weight = ({ prefix, subjects }: StorageCredential): number =>
    2 * (prefix.scheme === 's3' ? prefix.key.length : 0) + (subjects === null ? 0 : 1);
  return credentials.toSorted((one, other) => weight(other) - weight(one))[0] ?? null;
}

function parseListed(text: string, where: string): readonly unknown[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw new IcecoreError('BAD_USER_INPUT', `${where} is not valid JSON; ${shape}.`);
  }
  if (Array.isArray(value) && value.length > 0) return value;
  throw new IcecoreError('BAD_USER_INPUT', `${where} must be a list of at least one; ${shape}.`);
}

const shape = 'write a list of {"prefix", "accessKeyId", "secretAccessKey"}';

async function readList(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new IcecoreError('NOT_FOUND', `ICECORE_STORAGE_CREDENTIALS names the file ${path}, which cannot be read.`, { cause });
  }
}
