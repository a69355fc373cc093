import { randomBytes, randomUUID } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenedStorage, openStorage } from '../../src/storage/routed-storage.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { storageBehaviours } from './storage-behaviours.ts';

const reason = noObjectStore();
if (reason !== null) console.log(reason);

describe.skipIf(reason !== null)('storage on S3', () => {
  let store: ObjectStore;
  let cacheDir: string;
  let storage: OpenedStorage;
  let warehouse: string;

  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'icecore-s3-'));
    store = await startObjectStore();
    warehouse = `s3://${store.bucket}/warehouse`;
    storage = await openStorage({ warehouse, cacheDir, environment: store.environment });
  }, 300_000);

  afterAll(async () => {
    await storage?.close();
    await store?.stop();
    await rm(cacheDir, { recursive: true, force: true });
  });

  storageBehaviours(
    () => storage,
    async () => `${warehouse}/${randomUUID()}`,
  );

  test('a large file goes up in parts and comes down in parts, whole', async () => {
    const path = join(cacheDir, 'large');
    const content = randomBytes(20 * 1024 * 1024 + 17);
    await writeFile(path, content);
    await storage.publish(path, `${warehouse}/large/file`);
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
    const copy = await storage.open(`s3a://${store.bucket}/warehouse/large/file`);
    expect(Buffer.compare(await readFile(copy.path), content)).toBe(0);
    copy.release();
    const middle = { start: 8 * 1024 * 1024 - 5, end: 8 * 1024 * 1024 + 5 };
    expect(
      Buffer.compare(await storage.read(`${warehouse}/large/file`, middle), content.subarray(middle.start, middle.end)),
    ).toBe(0);
  });

  test('more objects than one page and one delete request hold', async () => {
    const locations = Array.from({ length: 1_100 }, (_, index) => `${warehouse}/many/${index}`);
    for (let at = 0; at < locations.length; at += 50) {
      await Promise.all(locations.slice(at, at + 50).map((location) => storage.write(location, Buffer.from('x'))));
    }
    expect(await Array.fromAsync(storage.list(`${warehouse}/many`))).toHaveLength(1_100);
    await storage.remove(locations);
    expect(await Array.fromAsync(storage.list(`${warehouse}/many`))).toEqual([]);
  });

  test('an object that was written anew is not read from the old copy', async () => {
    await storage.write(`${warehouse}/anew`, Buffer.from('old'));
    const old = await storage.open(`${warehouse}/anew`);
    await storage.write(`${warehouse}/anew`, Buffer.from('newer'));
    const anew = await storage.open(`${warehouse}/anew`);
    expect(await readFile(old.path, 'utf8')).toBe('old');
    expect(await readFile(anew.path, 'utf8')).toBe('newer');
    old.release();
    anew.release();
  });

  test('only what lies under the warehouse and the allowed locations can be touched', async () => {
    for (const location of [
      `s3://${store.bucket}/warehouse-2/a`,
      's3://other/warehouse/a',
      '/etc/passwd',
      `s3://${store.bucket}/a`,
    ]) {
      await expect(storage.read(location)).rejects.toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringContaining(location),
      });
    }
    await expect(storage.read(`${warehouse}/../a`)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(storage.write(warehouse.slice(0, -'/warehouse'.length), Buffer.from('x'))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });

  test('a wrong secret is refused, and neither it nor the right one is in the error', async () => {
    const environment = { ...store.environment, AWS_SECRET_ACCESS_KEY: 'wrongsecret456', AWS_SESSION_TOKEN: 'sessiontoken789' };
    const denied = await openStorage({ warehouse, cacheDir, environment });
    const acts: readonly (() => Promise<unknown>)[] = [
      () => denied.read(`${warehouse}/a`),
      () => denied.size(`${warehouse}/a`),
      () => denied.write(`${warehouse}/a`, Buffer.from('x')),
      () => denied.write(`${warehouse}/a`, Buffer.from('x'), { ifAbsent: true }),
      () => denied.remove([`${warehouse}/a`]),
      () => Array.fromAsync(denied.list(warehouse)),
    ];
    for (const act of acts) {
      const refusal = await act().catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(warehouse) });
      expect(whole(refusal)).not.toMatch(/wrongsecret456|sessiontoken789|testsecret123|testkey|Signature=/);
    }
    await denied.close();
  });
});

describe('an object store that fails', () => {
  test('is asked again, and what it holds comes whole though its answers break off', async () => {
    const content = randomBytes(100_000);
    let requests = 0;
    await withServer(
      (answer) => {
        requests += 1;
        if (requests === 1) return void answer.writeHead(503).end();
        answer.writeHead(206, { 'content-length': content.length, etag: '"1"' });
        if (requests === 2) {
          answer.write(content.subarray(0, 50_000));
          return void setImmediate(() => answer.destroy());
        }
        answer.end(content);
      },
      async (storage) => {
        const bytes = await storage.read('s3://bucket/w/a', { start: 0, end: content.length });
        expect(Buffer.compare(bytes, content)).toBe(0);
        expect(requests).toBe(3);
      },
    );
  });

  test('a range is received in the memory that is given for it, over one connection as long as the store keeps it', async () => {
    const content = randomBytes(300_000);
    const connections = new Set<unknown>();
    await withServer(
      (answer, request) => {
        connections.add(request.socket);
        const [start = 0, end = 0] =
          /bytes=(\d+)-(\d+)/
            .exec(request.headers.range ?? '')
            ?.slice(1)
            .map(Number) ?? [];
        answer.writeHead(206, { 'content-length': end - start + 1, ...(start === 7 ? { connection: 'close' } : {}) });
        answer.end(content.subarray(start, end + 1));
      },
      async (storage) => {
        for (const start of [5, 6, 7, 8]) {
          const into = new Uint8Array(290_000);
          expect(await storage.read('s3://bucket/w/a', { start, end: start + into.length }, into)).toBe(into);
          expect(Buffer.compare(into, content.subarray(start, start + into.length))).toBe(0);
        }
      },
    );
    expect(connections.size).toBe(2);
  });

  test.each([
    [
      'breaks off',
      (answer: ServerResponse, content: Buffer) => {
        answer.writeHead(206, { 'content-length': content.length });
        answer.write(content.subarray(0, 50_000));
        setImmediate(() => answer.destroy());
      },
    ],
    ['is in chunks', (answer: ServerResponse, content: Buffer) => answer.writeHead(206).end(content)],
    [
      'is of another length',
      (answer: ServerResponse, content: Buffer) =>
        answer.writeHead(206, { 'content-length': content.length + 1 }).end(Buffer.concat([content, Buffer.from('x')])),
    ],
    ['is a refusal', (answer: ServerResponse) => answer.writeHead(503).end()],
    ['is none', (answer: ServerResponse) => answer.destroy()],
  ])('a range whose first answer %s is asked for again, and comes whole', async (_what, first) => {
    const content = randomBytes(100_000);
    let requests = 0;
    await withServer(
      (answer) => {
        if (requests++ === 0) return void first(answer, content);
        answer.writeHead(206, { 'content-length': content.length }).end(content);
      },
      async (storage) => {
        const into = new Uint8Array(content.length);
        const bytes = await storage.read('s3://bucket/w/a', { start: 0, end: content.length }, into);
        expect(Buffer.compare(bytes, content)).toBe(0);
        expect(requests).toBe(2);
        await expect(storage.read('s3://bucket/w/a', { start: 0, end: 9 }, new Uint8Array(9))).rejects.toThrow(/9/);
      },
    );
  });

  test('what is not there is told as ever, though it was to be received in place', async () => {
    const body = '<Error><Code>NoSuchKey</Code><Message>No such key.</Message></Error>';
    await withServer(
      (answer) => void answer.writeHead(404, { 'content-type': 'application/xml', 'content-length': body.length }).end(body),
      async (storage) => {
        const missing = storage.read('s3://bucket/w/a', { start: 0, end: 9 }, new Uint8Array(9));
        await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('s3://bucket/w/a') });
      },
    );
  });

  test('a write whose first answer was lost knows its own object', async () => {
    let mark: string | undefined;
    let puts = 0;
    await withServer(
      (answer, { headers, method }) => {
        if (method === 'HEAD') return void answer.writeHead(200, { 'x-amz-meta-icecore-write': mark ?? '' }).end();
        puts += 1;
        mark ??= headers['x-amz-meta-icecore-write'] as string;
        answer.writeHead(puts === 1 ? 500 : 412).end();
      },
      async (storage) => {
        await storage.write('s3://bucket/w/a', Buffer.from('x'), { ifAbsent: true });
        expect(puts).toBe(2);
        mark = 'another writer';
        await expect(storage.write('s3://bucket/w/a', Buffer.from('x'), { ifAbsent: true })).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
        });
      },
    );
  });

  test('an upload that fails is called off, and the local file stays', async () => {
    const asked: string[] = [];
    await withServer(
      (answer, { method, url }) => {
        asked.push(`${method} ${url?.replace(/partNumber=\d+/, 'partNumber=N')}`);
        if (method === 'POST') {
          const body = '<InitiateMultipartUploadResult><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>';
          return void answer.writeHead(200, { 'content-type': 'application/xml' }).end(body);
        }
        answer.writeHead(method === 'DELETE' ? 204 : 403).end();
      },
      async (storage, directory) => {
        const path = join(directory, 'large');
        await writeFile(path, Buffer.alloc(20 * 1024 * 1024));
        await expect(storage.publish(path, 's3://bucket/w/large')).rejects.toMatchObject({ code: 'FORBIDDEN' });
        expect(await readFile(path)).toHaveLength(20 * 1024 * 1024);
        expect(asked).toContain('DELETE /bucket/w/large?uploadId=upload-1&x-id=AbortMultipartUpload');
      },
    );
  });

  test('what it tells of credentials stays out of the error', async () => {
    const body =
      '<Error><Code>InvalidToken</Code><Message>The provided token is malformed.</Message>' +
      '<Token-0>sessiontoken789</Token-0><AWSAccessKeyId>testkey</AWSAccessKeyId></Error>';
    await withServer(
      (answer) => void answer.writeHead(400, { 'content-type': 'application/xml' }).end(body),
      async (storage) => {
        const refusal = await storage.read('s3://bucket/w/a').catch((error: unknown) => error);
        expect(refusal).toMatchObject({ message: expect.stringContaining('InvalidToken') });
        expect(whole(refusal)).not.toMatch(/sessiontoken789|testkey|testsecret123/);
      },
    );
  });

  test('that is not there is named with what to check', async () => {
    const storage = await openStorage({
      warehouse: 's3://bucket/w',
      cacheDir: await mkdtemp(join(tmpdir(), 'icecore-s3-')),
      environment: { ...credentials, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
    });
    const refusal = await storage.read('s3://bucket/w/a').catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'INTERNAL',
      retryable: true,
      message: expect.stringMatching(/ECONNREFUSED.*AWS_ENDPOINT_URL_S3/),
    });
    expect(whole(refusal)).not.toMatch(/testsecret123|sessiontoken789/);
    await storage.close();
  });
});

const credentials = {
  AWS_ACCESS_KEY_ID: 'testkey',
  AWS_SECRET_ACCESS_KEY: 'testsecret123',
  AWS_SESSION_TOKEN: 'sessiontoken789',
  AWS_REGION: 'us-east-1',
};

type Answer = (answer: ServerResponse, request: IncomingMessage) => void;

/** A server that answers as the test says, to bring about failures that a sound object store does not have. */
async function withServer(answerAs: Answer, act: (storage: OpenedStorage, directory: string) => Promise<void>): Promise<void> {
  const server = createServer((request, answer) => {
    request.resume().once('end', () => answerAs(answer, request));
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const cacheDir = await mkdtemp(join(tmpdir(), 'icecore-s3-'));
  const environment = { ...credentials, AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` };
  const storage = await openStorage({ warehouse: 's3://bucket/w', cacheDir, environment });
  try {
    await act(storage, cacheDir);
  } finally {
    await storage.close();
    server.closeAllConnections();
    server.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}

/** Everything that an error could tell a log. */
function whole(error: unknown): string {
  return `${inspect(error, { depth: 20, showHidden: true })} ${JSON.stringify(error)}`;
}
