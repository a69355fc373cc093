import { allowedLocations, localRoots, parseRoot } from './allowed-locations.ts';
import { LocalStorage } from './local-storage.ts';
import { type Location, liesUnder, parseLocation, printLocation } from './location.ts';
import type { S3Storage } from './s3-storage.ts';
import type { ByteRange, LocalCopy, Storage, StoredObject, WriteOptions } from './storage.ts';
import { outsideRoots } from './storage-error.ts';

export interface OpenedStorage extends Storage {
  /** Gives back connections and the cache's disk space. */
  close(): Promise<void>;
}

export interface StorageOptions {
  /** Directory, `file:///…` or `s3://bucket/prefix`. */
  readonly warehouse: string;
  /** Further locations that may be read and written, spelled as the warehouse is. */
  readonly allowedLocations?: readonly string[];
  /** A local directory for copies of remote objects. */
  readonly cacheDir: string;
  /** Where `AWS_*` are looked up. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Storage by the scheme of each location: local disk and S3. What is outside the warehouse and the allowed locations is FORBIDDEN. */
export async function openStorage(options: StorageOptions): Promise<OpenedStorage> {
  const allowed = allowedLocations(options.warehouse, options.allowedLocations);
  const { roots } = allowed;
  const local = new LocalStorage({ roots: localRoots(allowed) });
  const s3 = roots.some((root) => root.scheme === 's3')
    ? await openS3({ cacheDir: options.cacheDir, environment: options.environment ?? process.env })
    : null;
  return new RoutedStorage(roots, local, s3);
}

/** Its client takes each thread a tenth of a second to load: where there is no S3 it is not. */
async function openS3(options: Parameters<typeof S3Storage.open>[0]): Promise<S3Storage> {
  const { S3Storage } = await import('./s3-storage.ts');
  return await S3Storage.open(options);
}

/** The warehouse's location as tables' locations begin: canonical and without a slash at the end. */
export function warehouseLocation(warehouse: string): string {
  return printLocation(parseRoot(warehouse)).replace(/\/+$/, '');
}

class RoutedStorage implements OpenedStorage {
  readonly #roots: readonly Location[];
  readonly #local: LocalStorage;
  readonly #s3: S3Storage | null;

  constructor(roots: readonly Location[], local: LocalStorage, s3: S3Storage | null) {
    this.#roots = roots;
    this.#local = local;
    this.#s3 = s3;
  }

  async read(location: string, range?: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
    return await this.#for(location).read(location, range, into);
  }

  async size(location: string): Promise<number | null> {
    return await this.#for(location).size(location);
  }

  async settle(locations: readonly string[]): Promise<void> {
    const byStorage = Map.groupBy(locations, (location) => this.#for(location));
    await Promise.all([...byStorage].map(([storage, its]) => storage.settle(its)));
  }

  async write(location: string, bytes: Uint8Array, options?: WriteOptions): Promise<void> {
    await this.#for(location).write(location, bytes, options);
  }

  async publish(localPath: string, location: string): Promise<void> {
    await this.#for(location).publish(localPath, location);
  }

  async open(location: string): Promise<LocalCopy> {
    return await this.#for(location).open(location);
  }

  async remove(locations: readonly string[]): Promise<void> {
    const byStorage = Map.groupBy(locations, (location) => this.#for(location));
    await Promise.all([...byStorage].map(([storage, its]) => storage.remove(its)));
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    yield* this.#for(prefix).list(prefix, signal);
  }

  async close(): Promise<void> {
    await this.#s3?.close();
  }

  /** Local paths are judged by `LocalStorage` itself, which follows links; keys by their text. */
  #for(location: string): Storage {
    const parsed = parseLocation(location);
    if (parsed.scheme === 'file') return this.#local;
    if (this.#s3 !== null && this.#roots.some((root) => liesUnder(parsed, root))) return this.#s3;
    throw outsideRoots(location);
  }
}
