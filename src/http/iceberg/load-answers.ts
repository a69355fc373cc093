import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzipSync, gzip } from 'node:zlib';
import { IcecoreError } from '../../errors.ts';
import { printJson } from '../../iceberg/json.ts';
import type { TableMetadata } from '../../iceberg/metadata.ts';
import { metadataJson, printMetadata } from '../../iceberg/metadata-json.ts';
import type { Icecore } from '../../icecore.ts';
import { restGzipBytesMin, restLoadsCacheBytesMax, tableMetadataBytesMax } from '../../limits.ts';
import { noSuchFile } from '../../rest-catalog/refusal.ts';
import { parseLocation } from '../../storage/location.ts';
import { ByteLru } from '../../tables/byte-lru.ts';
import type { Table } from '../../tables/table.ts';
import type { IcebergAnswer } from './answer.ts';

/** Which snapshots a client wants to hear of: all, or those that branches and tags point to (REST specification: `snapshots`). */
export type SnapshotMode = 'all' | 'refs';

/** What a load is answered with beside the metadata. Secret where there are credentials. */
export interface LoadExtras {
  readonly config: Readonly<Record<string, string>>;
  readonly storageCredentials: readonly unknown[];
  /** Tells answers with different extras apart in their entity tags, without their secrets. */
  readonly tag: string;
}

export interface LoadRequest {
  readonly mode: SnapshotMode;
  readonly extras: LoadExtras;
  readonly takesGzip: boolean;
  /** `If-None-Match`. */
  readonly known: string | undefined;
}

const compress = promisify(gzip);

/**
 * Answers with a table's metadata (REST specification: `LoadTableResult`). A metadata file never changes, so what is sent is its own bytes, read
 * and compressed once while it is asked for.
 */
export class LoadAnswers {
  readonly #icecore: Icecore;
  readonly #texts = new ByteLru<Uint8Array>(restLoadsCacheBytesMax);
  /** Loads of one table that come at one time share one read. */
  readonly #making = new Map<string, Promise<Uint8Array>>();

  constructor(icecore: Icecore) {
    this.#icecore = icecore;
  }

  /** Throws NOT_FOUND where the metadata file is gone. 304 where the client has this very answer. */
  async answer(table: Omit<Table, 'metadata'>, request: LoadRequest): Promise<IcebergAnswer> {
    const { metadataLocation } = table;
    await this.#requireFile(metadataLocation);
    const shown = await this.#shown(table);
    const etag = etagOf(metadataLocation, request, shown === null ? '' : this.#reader());
    const headers = { etag };
    if (knows(request.known, etag)) return { status: 304, headers };
    return await this.#body(metadataLocation, shown, request, headers);
  }

  /** The same of what was just committed, whose file need not be looked for. */
  async committed(table: Table, request: Omit<LoadRequest, 'known' | 'mode'>): Promise<IcebergAnswer> {
    const { metadataLocation, metadata } = this.#icecore.tables.shown(table);
    // By what the file says: the table at hand may be without what is hidden already.
    const shown = await this.#shown(table).catch(() => metadata);
    const all: LoadRequest = { ...request, mode: 'all', known: undefined };
    const headers = { etag: etagOf(metadataLocation, all, shown === null ? '' : this.#reader()) };
    try {
      return await this.#body(metadataLocation, shown, all, headers);
    } catch (error) {
      // A later commit may have removed it already, where the table keeps few of them.
      if (!IcecoreError.is(error, 'NOT_FOUND')) throw error;
      return await this.#body(metadataLocation, metadata, all, headers);
    }
  }

  async #body(
    location: string,
    shown: TableMetadata | null,
    { mode, extras, takesGzip }: LoadRequest,
    headers: Readonly<Record<string, string>>,
  ): Promise<IcebergAnswer> {
    const { config, storageCredentials, tag } = extras;
    // What is shown to the same grants is the same.
    const file = `${shown === null ? '' : this.#reader()} ${mode} ${location}`;
    const key = `${tag} ${file}`;
    const credentials = storageCredentials.length === 0 ? {} : { 'storage-credentials': storageCredentials };
    const before = `{"metadata-location":${JSON.stringify(location)},"metadata":`;
    const after = `,${printJson({ config, ...credentials }).slice(1)}`;
    const text = async (): Promise<Uint8Array> =>
      shown === null ? await this.#metadata(location, mode) : Buffer.from(textOf(shown, mode));
    const plain = async (): Promise<Uint8Array> => Buffer.concat([Buffer.from(before), await text(), Buffer.from(after)]);
    if (storageCredentials.length > 0) {
      // Secrets are not kept with what is kept.
      const body = Buffer.concat([Buffer.from(before), await this.#kept(`metadata ${file}`, text), Buffer.from(after)]);
      return { status: 200, headers: { ...headers, 'cache-control': 'private, no-cache' }, body };
    }
    const bytes = await this.#kept(key, plain);
    if (!takesGzip || bytes.byteLength < restGzipBytesMin) return { status: 200, headers, body: bytes };
    const packed = await this.#kept(`gzip ${key}`, () => compress(bytes, { level: constants.Z_BEST_SPEED }));
    return { status: 200, headers: { ...headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' }, body: packed };
  }

  async #metadata(location: string, mode: SnapshotMode): Promise<Uint8Array> {
    const { files, storage } = this.#icecore.tables;
    // Parsed too: what is no metadata is not sent as such.
    const metadata = await files.metadata(location);
    if (mode === 'refs') return Buffer.from(textOf(metadata, mode));
    const bytes = await storage.read(location);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, { maxOutputLength: tableMetadataBytesMax }) : bytes;
  }

  /** The metadata where the caller is to see other metadata than the file's; null for the file's own. */
  async #shown({ identifier, uuid, metadataLocation }: Omit<Table, 'metadata'>): Promise<TableMetadata | null> {
    const { access, tables } = this.#icecore;
    if (access.permissions.unrestricted) return null;
    const metadata = await tables.files.metadata(metadataLocation);
    const shown = tables.shown({ identifier, uuid, metadataLocation, metadata });
    return shown.metadata === metadata ? null : shown.metadata;
  }

  /** By what is shown, what is kept back. */
  #reader(): string {
    return JSON.stringify(this.#icecore.access.permissions.grants);
  }

  /** On local disk a look costs microseconds; an object store would be asked over the network for what is never removed there. */
  async #requireFile(location: string): Promise<void> {
    const isLocal = parseLocation(location).scheme === 'file';
    if (isLocal && (await this.#icecore.tables.storage.size(location)) === null) throw noSuchFile(location);
  }

  async #kept(key: string, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.#texts.get(key) ?? this.#making.get(key);
    if (known !== undefined) return await known;
    const making = make().finally(() => this.#making.delete(key));
    this.#making.set(key, making);
    const bytes = await making;
    this.#texts.set(key, bytes, bytes.byteLength);
    return bytes;
  }
}

function textOf(metadata: TableMetadata, mode: SnapshotMode): string {
  if (mode === 'all') return printMetadata(metadata);
  const referred = new Set(Object.values(metadata.refs).map((ref) => ref.snapshotId));
  const snapshots = metadata.snapshots.filter(({ snapshotId }) => referred.has(snapshotId));
  return printJson(metadataJson({ ...metadata, snapshots }));
}

/** Strong: the same tag is the same answer, but for its compression. */
function etagOf(location: string, { mode, extras }: LoadRequest, reader: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([location, mode, extras.tag, reader]))
    .digest('base64url');
  return `"${digest.slice(0, 27)}"`;
}

function knows(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
