import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import {
  DeleteObjectsCommand,
  HeadObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { IcecoreError } from '../errors.ts';
import {
  storageAttemptsMax,
  storageCacheBytesMax,
  storageKeysPerRequestMax,
  storagePartBytes,
  storagePartsMax,
  storageUploadPartsMax,
} from '../limits.ts';
import { FileCache } from './file-cache.ts';
import { parseLocation, printLocation } from './location.ts';
import { receiveRanges } from './range-receiver.ts';
import { s3ClientFrom } from './s3-client.ts';
import { downloadObject, readObject, type S3Object } from './s3-download.ts';
import { httpStatus, s3Error } from './s3-error.ts';
import type { ByteRange, LocalCopy, Storage, StoredObject } from './storage.ts';
import { alreadyAt, checkRange, fileError, nothingAt } from './storage-error.ts';

/** Metadata that tells a writer its own object, where the answer to its request was lost. */
const writeMark = 'icecore-write';

/** Objects at `s3://bucket/key`, in any store that speaks S3. Which buckets and prefixes may be touched is judged before. */
export class S3Storage implements Storage {
  readonly #client: S3Client;
  readonly #cache: FileCache;

  constructor(client: S3Client, cache: FileCache) {
    this.#client = client;
    this.#cache = cache;
  }

  static async open(options: {
    readonly cacheDir: string;
    readonly environment: NodeJS.ProcessEnv;
    readonly cacheBytesMax?: number;
  }): Promise<S3Storage> {
    const cache = await FileCache.open(options.cacheDir, options.cacheBytesMax ?? storageCacheBytesMax);
    const client = s3ClientFrom(options.environment);
    receiveRanges(client);
    return new S3Storage(client, cache);
  }

  async read(location: string, range?: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
    const object = toObject(location);
    if (range !== undefined) checkRange(location, range);
    return await readObject(this.#client, object, { ...(range && { range }), ...(into && { into }) });
  }

  async size(location: string): Promise<number | null> {
    return (await this.#head(toObject(location)))?.sizeBytes ?? null;
  }

  async write(location: string, bytes: Uint8Array, options?: { readonly ifAbsent?: boolean }): Promise<void> {
    const object = toObject(location);
    this.#cache.forget(object.location);
    if (options?.ifAbsent) return await this.#create(object, bytes);
    const put = new PutObjectCommand({ Bucket: object.bucket, Key: object.key, Body: bytes });
    await this.#send(object, () => this.#client.send(put));
  }

  /** What is written is durable at once. */
  async settle(): Promise<void> {}

  async publish(localPath: string, location: string): Promise<void> {
    const object = toObject(location);
    this.#cache.forget(object.location);
    const { size } = await stat(localPath).catch((error: unknown) => {
      throw fileError(localPath, error);
    });
    const upload = new Upload({
      client: this.#client,
      params: { Bucket: object.bucket, Key: object.key, Body: createReadStream(localPath, { highWaterMark: 1 << 20 }) },
      partSize: Math.max(storagePartBytes, Math.ceil(size / storageUploadPartsMax)),
      queueSize: storagePartsMax,
      leavePartsOnError: false,
    });
    await this.#send(object, () => upload.done());
    await unlink(localPath).catch(() => undefined);
  }

  async open(location: string): Promise<LocalCopy> {
    const object = toObject(location);
    return await this.#cache.open(object.location, async () => {
      const head = await this.#head(object);
      if (head === null) throw nothingAt(object.location);
      return { sizeBytes: head.sizeBytes, download: (path) => downloadObject(this.#client, object, head, path) };
    });
  }

  async remove(locations: readonly string[]): Promise<void> {
    const byBucket = Map.groupBy(locations.map(toObject), (object) => object.bucket);
    for (const objects of byBucket.values()) {
      for (let at = 0; at < objects.length; at += storageKeysPerRequestMax) {
        await this.#removeSome(objects.slice(at, at + storageKeysPerRequestMax));
      }
    }
  }

  /** The objects below `prefix/`, in order of their keys. */
  async *list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject> {
    const parsed = parseLocation(prefix);
    if (parsed.scheme !== 's3') throw noObject(prefix);
    const { bucket } = parsed;
    const below = parsed.key === '' || parsed.key.endsWith('/') ? parsed.key : `${parsed.key}/`;
    const pages = paginateListObjectsV2(
      { client: this.#client, pageSize: storageKeysPerRequestMax },
      { Bucket: bucket, Prefix: below },
      signal === undefined ? undefined : { abortSignal: signal },
    );
    try {
      for await (const page of pages) {
        for (const { Key: key, Size: sizeBytes, LastModified: modified } of page.Contents ?? []) {
          signal?.throwIfAborted();
          // Some stores show directories as empty objects with a slash at the end.
          if (key === undefined || key.endsWith('/')) continue;
          const location = printLocation({ scheme: 's3', bucket, key });
          yield { location, sizeBytes: sizeBytes ?? 0, modifiedMs: modified?.getTime() ?? 0 };
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(prefix, error);
    }
  }

  async close(): Promise<void> {
    await this.#cache.close();
    this.#client.destroy();
  }

  /** Of several writers one wins, and the store tells them apart. */
  async #create(object: S3Object, bytes: Uint8Array): Promise<void> {
    const mark = randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const put = new PutObjectCommand({
          Bucket: object.bucket,
          Key: object.key,
          Body: bytes,
          IfNoneMatch: '*',
          Metadata: { [writeMark]: mark },
        });
        return void (await this.#client.send(put));
      } catch (error) {
        // 409: another writer is at it; who of us came first shows when the request is made again.
        if (httpStatus(error) === 409 && attempt < storageAttemptsMax) continue;
        if (httpStatus(error) !== 412) throw s3Error(object.location, error);
      }
      // A request that was sent twice, its first answer lost, meets its own object.
      if ((await this.#head(object))?.mark === mark) return;
      throw alreadyAt(object.location);
    }
  }

  async #head(object: S3Object): Promise<{ sizeBytes: number; etag: string | null; mark: string | null } | null> {
    try {
      const head = await this.#client.send(new HeadObjectCommand({ Bucket: object.bucket, Key: object.key }));
      return {
        sizeBytes: head.ContentLength ?? 0,
        etag: head.ETag ?? null,
        mark: head.Metadata?.[writeMark] ?? null,
      };
    } catch (error) {
      if (httpStatus(error) === 404) return null;
      throw s3Error(object.location, error);
    }
  }

  async #removeSome(objects: readonly S3Object[]): Promise<void> {
    const [first] = objects;
    if (first === undefined) return;
    for (const object of objects) this.#cache.forget(object.location);
    const remove = new DeleteObjectsCommand({
      Bucket: first.bucket,
      Delete: { Objects: objects.map(({ key }) => ({ Key: key })), Quiet: true },
    });
    const answer = await this.#send(first, () => this.#client.send(remove));
    const refused = (answer.Errors ?? []).filter((error) => error.Code !== 'NoSuchKey');
    const [one] = refused;
    if (one === undefined) return;
    throw new IcecoreError(
      'INTERNAL',
      `The object store did not delete ${refused.length} of ${objects.length} objects, s3://${first.bucket}/${one.Key} among them (${one.Code}).`,
      { context: { location: `s3://${first.bucket}/${one.Key}` }, retryable: true },
    );
  }

  async #send<T>(object: S3Object, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      throw s3Error(object.location, error);
    }
  }
}

function toObject(location: string): S3Object {
  const parsed = parseLocation(location);
  if (parsed.scheme !== 's3' || parsed.key === '') throw noObject(location);
  return { bucket: parsed.bucket, key: parsed.key, location: printLocation(parsed) };
}

function noObject(location: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The location ${location} names no object in a bucket: write s3://bucket/key.`, {
    context: { location },
  });
}
