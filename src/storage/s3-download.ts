import { type FileHandle, open } from 'node:fs/promises';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { IcecoreError } from '../errors.ts';
import { storageAttemptsMax, storagePartBytes, storagePartsMax } from '../limits.ts';
import type { Receiving, ReceivingOptions } from './range-receiver.ts';
import { httpStatus, s3Error } from './s3-error.ts';
import type { ByteRange } from './storage.ts';
import { tooShort } from './storage-error.ts';

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  /** `s3://bucket/key` */
  readonly location: string;
}

interface ReadOptions {
  readonly range?: ByteRange;
  readonly etag?: string | null;
  /** Of the range's size, for its bytes. */
  readonly into?: Uint8Array;
}

/**
 * The object's bytes or a range of them, of the version with this entity tag where one is given; in `into` where that is given and has their
 * size.
 */
export async function readObject(client: S3Client, object: S3Object, options: ReadOptions): Promise<Uint8Array> {
  const { range } = options;
  if (range !== undefined && range.start === range.end) return new Uint8Array(0);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await readOnce(client, object, options);
    if ('bytes' in outcome) {
      if (range === undefined || outcome.bytes.length === range.end - range.start) return outcome.bytes;
      throw tooShort(object.location, range, range.start + outcome.bytes.length);
    }
    if (attempt === storageAttemptsMax) throw s3Error(object.location, outcome.brokenOff);
  }
}

/** Writes the object to a new file, several parts at a time. */
export async function downloadObject(
  client: S3Client,
  object: S3Object,
  version: { readonly sizeBytes: number; readonly etag: string | null },
  path: string,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    let next = 0;
    const fetchParts = async (): Promise<void> => {
      const memory = new Uint8Array(Math.min(storagePartBytes, version.sizeBytes));
      while (next < version.sizeBytes) {
        const start = next;
        next = Math.min(version.sizeBytes, start + storagePartBytes);
        const range = { start, end: next };
        const into = memory.subarray(0, range.end - range.start);
        const bytes = await readObject(client, object, { range, etag: version.etag, into });
        await writeAt(file, bytes, start);
      }
    };
    const stop = (reason: unknown): never => {
      next = version.sizeBytes;
      throw reason;
    };
    const atOnce = Math.min(storagePartsMax, Math.ceil(version.sizeBytes / storagePartBytes));
    const outcomes = await Promise.allSettled(Array.from({ length: atOnce }, () => fetchParts().catch(stop)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    await file.close();
  }
}

/** The SDK repeats requests, but not a body that breaks off: that is for the caller to do. */
async function readOnce(
  client: S3Client,
  object: S3Object,
  { range, etag, into }: ReadOptions,
): Promise<{ readonly bytes: Uint8Array } | { readonly brokenOff: unknown }> {
  const get = new GetObjectCommand({
    Bucket: object.bucket,
    Key: object.key,
    ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
    ...(etag ? { IfMatch: etag } : {}),
  });
  const receiving =
    range !== undefined && into?.length === range.end - range.start ? ({ into, isFilled: false } satisfies Receiving) : null;
  const options: ReceivingOptions = receiving === null ? {} : { receiving };
  const { Body: body, ContentRange: sent } = await client.send(get, options).catch((error: unknown) => {
    if (range !== undefined && httpStatus(error) === 416) throw tooShort(object.location, range, null);
    if (httpStatus(error) === 412) throw changed(object);
    throw s3Error(object.location, error);
  });
  try {
    const bytes = receiving?.isFilled ? receiving.into : ((await body?.transformToByteArray()) ?? new Uint8Array(0));
    // How many they are is for the caller to see.
    if (range === undefined || sent === undefined || sent.startsWith(`bytes ${range.start}-`)) return { bytes };
    return { brokenOff: otherBytes(object, range, sent) };
  } catch (brokenOff) {
    return { brokenOff };
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

function otherBytes({ location }: S3Object, { start, end }: ByteRange, sent: string): IcecoreError {
  return new IcecoreError(
    'INTERNAL',
    `Bytes ${start} to ${end} of ${location} were asked for, and the object store sent "${sent.slice(0, 100)}": something between it and this server mixes answers up.`,
    { context: { location, start, end }, retryable: true },
  );
}

function changed(object: S3Object): IcecoreError {
  return new IcecoreError('CONFLICT', `${object.location} was replaced while it was read: repeat the call.`, {
    context: { location: object.location },
    retryable: true,
  });
}
