import { gunzipSync } from 'node:zlib';
import { IcecoreError } from '../errors.ts';
import type { ManifestIndex } from '../iceberg/manifest-index.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { parseMetadata } from '../iceberg/metadata-json.ts';
import { manifestCacheBytesMax, manifestIndexCacheBytesMax, metadataCacheBytesMax, tableMetadataBytesMax } from '../limits.ts';
import type { Storage } from '../storage/storage.ts';
import { ByteLru } from './byte-lru.ts';

export type JudgeFiles = (metadata: TableMetadata, files: readonly string[]) => Promise<void>;

/** Some engines compress metadata, and say so in the name in more than one way. Throws FAILED_PRECONDITION, naming the file. */
function plainMetadata(bytes: Uint8Array, location: string): Uint8Array {
  const refuse = (how: string, cause?: unknown): IcecoreError =>
    new IcecoreError('FAILED_PRECONDITION', `The table metadata file ${location} ${how}.`, {
      context: { file: location },
      cause,
    });
  const tooLarge = `has more than ${tableMetadataBytesMax} bytes`;
  if (bytes.byteLength > tableMetadataBytesMax) throw refuse(tooLarge);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: tableMetadataBytesMax });
  } catch (cause) {
    throw refuse(cause instanceof RangeError ? tooLarge : 'is gzip, and damaged', cause);
  }
}

/** Reads of a table's metadata side, each file once while it stays in the cache: none of them ever changes. */
export class FileReads {
  readonly judge: JudgeFiles;
  readonly #storage: Storage;
  readonly #metadata = new ByteLru<TableMetadata>(metadataCacheBytesMax);
  readonly #manifests = new ByteLru<Uint8Array>(manifestCacheBytesMax);
  readonly #indexes = new ByteLru<ManifestIndex>(manifestIndexCacheBytesMax);
  readonly #reading = new Map<string, Promise<unknown>>();
  #metadataReads = 0;
  #manifestReads = 0;

  /** `judge` throws where a table's files are not for the caller at hand: it is asked before they are read, also from the cache. */
  constructor(storage: Storage, judge: JudgeFiles = async () => {}) {
    this.#storage = storage;
    this.judge = judge;
  }

  get metadataReads(): number {
    return this.#metadataReads;
  }

  get manifestReads(): number {
    return this.#manifestReads;
  }

  /** Throws NOT_FOUND where the file is gone, FAILED_PRECONDITION where it is broken. */
  async metadata(location: string): Promise<TableMetadata> {
    const known = this.#metadata.get(location);
    if (known !== undefined) return known;
    return await this.#once(location, async () => {
      this.#metadataReads++;
      const bytes = await this.#storage.read(location);
      const plain = plainMetadata(bytes, location);
      const metadata = parseMetadata(new TextDecoder().decode(plain), location);
      this.#metadata.set(location, metadata, plain.byteLength);
      return metadata;
    });
  }

  /** Keeps what was just written. */
  keepMetadata(location: string, metadata: TableMetadata, bytes: number): void {
    this.#metadata.set(location, metadata, bytes);
  }

  /** A manifest or a manifest list. */
  async manifest(location: string): Promise<Uint8Array> {
    const known = this.#manifests.get(location);
    if (known !== undefined) return known;
    return await this.#once(location, async () => {
      this.#manifestReads++;
      const bytes = await this.#storage.read(location);
      this.#manifests.set(location, bytes, bytes.byteLength);
      return bytes;
    });
  }

  /** Where the entries of a manifest lie, looked over by `index` once. */
  async manifestIndex(location: string, index: (bytes: Uint8Array) => ManifestIndex): Promise<ManifestIndex> {
    const known = this.#indexes.get(location);
    if (known !== undefined) return known;
    const made = index(await this.manifest(location));
    this.#indexes.set(location, made, made.bytes);
    return made;
  }

  keepManifest(location: string, bytes: Uint8Array): void {
    this.#manifests.set(location, bytes, bytes.byteLength);
  }

  forget(locations: readonly string[]): void {
    for (const location of locations) {
      this.#manifests.delete(location);
      this.#indexes.delete(location);
      this.#metadata.delete(location);
    }
  }

  /** Readers of one file at one time share one read. */
  async #once<T>(location: string, read: () => Promise<T>): Promise<T> {
    const running = this.#reading.get(location);
    if (running !== undefined) return (await running) as T;
    const reading = read().finally(() => this.#reading.delete(location));
    this.#reading.set(location, reading);
    return await reading;
  }
}
