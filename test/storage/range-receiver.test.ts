import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createPlainServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storageSocketsMax } from '../../src/limits.ts';
import { type OpenedStorage, openStorage } from '../../src/storage/routed-storage.ts';

const content = randomBytes(300_000);
const location = 's3://bucket/w/a';
const range = { start: 5, end: 200_005 };
const wanted = content.subarray(range.start, range.end);

test('an answer in pieces of one byte is received as one in one piece', async () => {
  await withStore(
    async (answer) => {
      const { socket } = answer;
      socket?.setNoDelay(true);
      const head = Buffer.from('HTTP/1.1 206 Partial Content\r\nContent-Length: 20\r\n\r\n');
      for (const byte of Buffer.concat([head, content.subarray(0, 20)])) {
        await new Promise((written) => socket?.write(Buffer.from([byte]), written));
      }
    },
    async (storage) => {
      const into = new Uint8Array(20);
      expect(await storage.read(location, { start: 0, end: 20 }, into)).toBe(into);
      expect(Buffer.compare(into, content.subarray(0, 20))).toBe(0);
    },
  );
});

test('a connection that the store closed while it was asked is asked for again over another, once', async () => {
  const asked = new Map<unknown, number>();
  await withStore(
    (answer, request) => {
      asked.set(request.socket, (asked.get(request.socket) ?? 0) + 1);
      if (asked.size === 1 && asked.get(request.socket) === 2) return void request.socket.destroy();
      sendRange(answer, request);
    },
    async (storage) => {
      for (let time = 0; time < 3; time++) expect(await readInPlace(storage)).toBe(true);
      expect([...asked.values()]).toEqual([2, 2]);
    },
  );
});

test('a refusal over a kept connection is heard once before the client of the SDK asks', async () => {
  let requests = 0;
  await withStore(
    (answer, request) => {
      requests++;
      if (requests === 2) answer.writeHead(503).end();
      else sendRange(answer, request);
    },
    async (storage) => {
      expect([await readInPlace(storage), await readInPlace(storage)]).toEqual([true, false]);
      expect(requests).toBe(3);
    },
  );
});

test('no more ranges are received in place at a time than there may be connections', async () => {
  const count = storageSocketsMax + 20;
  const held: (() => void)[] = [];
  await withStore(
    (answer, request) => {
      held.push(() => sendRange(answer, request));
      if (held.length === count) for (const send of held) send();
    },
    async (storage) => {
      const inPlace = await Promise.all(Array.from({ length: count }, () => readInPlace(storage)));
      expect(inPlace.filter(Boolean)).toHaveLength(storageSocketsMax);
    },
  );
});

test('what has a checksum goes by the client of the SDK: its bytes are let go of as soon as its head is there', async () => {
  let requests = 0;
  let firstClosed: Promise<unknown> | null = null;
  await withStore(
    async (answer, request) => {
      requests++;
      await firstClosed;
      firstClosed ??= new Promise((closed) => request.socket.once('close', closed));
      answer.setHeader('x-amz-checksum-crc32', 'AAAAAA==');
      sendRange(answer, request);
    },
    async (storage) => {
      expect(await readInPlace(storage)).toBe(false);
      expect(requests).toBe(2);
    },
  );
});

test('bytes of another range are not taken for those that were asked for', async () => {
  await withStore(
    (answer) => {
      const start = range.start + 1;
      answer.writeHead(206, {
        'content-length': wanted.length,
        'content-range': `bytes ${start}-${start + wanted.length - 1}/300000`,
      });
      answer.end(content.subarray(start, start + wanted.length));
    },
    async (storage) => {
      for (const into of [new Uint8Array(wanted.length), undefined]) {
        await expect(storage.read(location, range, into)).rejects.toMatchObject({
          code: 'INTERNAL',
          retryable: true,
          message: expect.stringContaining('"bytes 6-200005/300000"'),
        });
      }
    },
  );
});

test('what is under way when the storage is closed comes to its end, and its connection is not kept', async () => {
  const asked = Promise.withResolvers<{ readonly request: IncomingMessage; readonly answer: ServerResponse }>();
  await withStore(
    (answer, request) => asked.resolve({ request, answer }),
    async (storage) => {
      const inPlace = readInPlace(storage);
      const { request, answer } = await asked.promise;
      const closed = once(request.socket, 'close');
      await storage.close();
      sendRange(answer, request);
      expect(await inPlace).toBe(true);
      await closed;
    },
  );
});

const loopback = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const hasIpv6 = loopback.some(({ address }) => address === '::1');
if (!hasIpv6) console.log('the test of addresses of IPv6 is skipped: this machine has no ::1');

test.skipIf(!hasIpv6)('an address of IPv6', async () => {
  await withStore(sendRange, async (storage) => expect(await readInPlace(storage)).toBe(true), { host: '[::1]' });
});

describe('over TLS', () => {
  const trusted = getCACertificates('default');
  let [cert, key] = ['', ''];

  beforeAll(async () => {
    // Made for these tests, for localhost and its addresses; nothing else trusts it.
    const directory = new URL('../environment/tls/', import.meta.url);
    [cert, key] = (await Promise.all(
      ['cert', 'key'].map((what) => readFile(new URL(`localhost-${what}.pem`, directory), 'utf8')),
    )) as [string, string];
  });

  afterAll(() => setDefaultCACertificates(trusted));

  test.each([
    ['localhost', 'localhost'],
    // An address is no server name.
    ['127.0.0.1', false],
  ])('a store at %s whose authority is trusted', async (host, serverName) => {
    setDefaultCACertificates([...trusted, cert]);
    const names: unknown[] = [];
    await withStore(
      (answer, request) => {
        names.push((request.socket as TLSSocket).servername);
        sendRange(answer, request);
      },
      async (storage) => expect([await readInPlace(storage), await readInPlace(storage)]).toEqual([true, true]),
      { host, secrets: { cert, key } },
    );
    expect(names).toEqual([serverName, serverName]);
  });

  test('one whose authority is not trusted is sent nothing', async () => {
    setDefaultCACertificates(trusted);
    let requests = 0;
    await withStore(
      (answer) => {
        requests++;
        answer.end();
      },
      async (storage) => {
        await expect(readInPlace(storage)).rejects.toMatchObject({ message: expect.stringContaining('SELF_SIGNED') });
        expect(requests).toBe(0);
      },
      { host: 'localhost', secrets: { cert, key } },
    );
  });
});

/** Reads the range: whether its bytes, which are compared, came to lie in the memory that was given for them. */
async function readInPlace(storage: OpenedStorage): Promise<boolean> {
  const into = new Uint8Array(wanted.length);
  const bytes = await storage.read(location, range, into);
  expect(Buffer.compare(bytes, wanted)).toBe(0);
  return bytes === into;
}

function sendRange(answer: ServerResponse, request: IncomingMessage): void {
  const [start = 0, last = 0] = [...(request.headers.range ?? '').matchAll(/\d+/g)].map(Number);
  const bytes = content.subarray(start, last + 1);
  answer
    .writeHead(206, { 'content-length': bytes.length, 'content-range': `bytes ${start}-${last}/${content.length}` })
    .end(bytes);
}

interface StoreOptions {
  /** As URLs have it. */
  readonly host?: string;
  readonly secrets?: { readonly cert: string; readonly key: string };
}

/** A store that answers as the test says. */
async function withStore(
  answerAs: (answer: ServerResponse, request: IncomingMessage) => void | Promise<void>,
  act: (storage: OpenedStorage) => Promise<void>,
  { host = '127.0.0.1', secrets }: StoreOptions = {},
): Promise<void> {
  const listener: RequestListener = (request, answer) => void request.resume().once('end', () => void answerAs(answer, request));
  const server = secrets === undefined ? createPlainServer(listener) : createSecureServer(secrets, listener);
  // No connection ends by itself.
  server.keepAliveTimeout = 0;
  server.listen(0, host === '[::1]' ? '::1' : '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const cacheDir = await mkdtemp(join(tmpdir(), 'icecore-ranges-'));
  const environment = {
    AWS_ACCESS_KEY_ID: 'testkey',
    AWS_SECRET_ACCESS_KEY: 'testsecret123',
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: `http${secrets === undefined ? '' : 's'}://${host}:${port}`,
  };
  const storage = await openStorage({ warehouse: 's3://bucket/w', cacheDir, environment });
  try {
    await act(storage);
  } finally {
    await storage.close();
    server.closeAllConnections();
    server.close();
    await rm(cacheDir, { recursive: true, force: true });
  }
}
