import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { open, readdir, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { RecordBatchReader } from 'apache-arrow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServerProcess } from '../http/server-process.ts';
import { arrowType, events, eventType, subscribe } from './feed-client.ts';
import { inOrder, makeWideTable, trainingBatches, wideColumns, wideRowBytes } from './wide-table.ts';

const files = 3;
const rowsPerFile = 500_000;
const tableBytes = files * rowsPerFile * wideRowBytes;
/** Seconds are enough where nothing else runs. */
const busyMachineMs = 3 * 60_000;
const mebibyte = 1024 * 1024;
/** A column or two that are decoded, blocks of the rows, a batch or two, what the socket holds, and slack of the allocators. */
const oneFeedBytesMax = 160 * mebibyte;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
  await makeWideTable((query, variables) => server.data(query, variables), 'raw.wide', files, rowsPerFile);
}, busyMachineMs);
afterAll(() => server.stop());

function feed(accept = arrowType, columns = wideColumns): Promise<IncomingMessage> {
  return subscribe({ origin: server.origin, query: trainingBatches, variables: inOrder('raw.wide', columns), accept });
}

interface Received {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The cells of all batches; what their metadata says of time differs from feed to feed. */
async function received(response: IncomingMessage): Promise<Received> {
  const hash = createHash('sha256');
  let [rows, bytes] = [0, 0];
  for await (const batch of await RecordBatchReader.from(response)) {
    rows += batch.numRows;
    for (const { values } of batch.data.children) {
      const cells = values as BigInt64Array;
      hash.update(cells);
      bytes += cells.byteLength;
    }
  }
  return { rows, bytes, sha256: hash.digest('hex') };
}

it('a client that stops reading neither grows the server nor holds it up, and misses nothing', {
  timeout: busyMachineMs,
}, async () => {
  await server.forgetPeak();
  const before = server.memory().residentBytes;
  const stalled = await feed();
  await once(stalled, 'readable');
  stalled.pause();
  const other = await received(await feed());
  expect(other).toMatchObject({ rows: files * rowsPerFile, bytes: tableBytes });
  expect(server.memory().peakBytes - before).toBeLessThan(2 * oneFeedBytesMax);
  expect(2 * oneFeedBytesMax).toBeLessThan(tableBytes);
  expect(await received(stalled)).toEqual(other);
});

it('a failure in mid-stream resets the connection; the server lives', { timeout: busyMachineMs }, async () => {
  await damageNewestFile();
  // These columns were not decoded yet.
  const response = await feed(arrowType, wideColumns.slice(8));
  expect(response.statusCode).toBe(200);
  let bytes = 0;
  const ended = (async () => {
    for await (const chunk of response as AsyncIterable<Buffer>) bytes += chunk.byteLength;
  })();
  await expect(ended).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(response.complete).toBe(false);
  expect(bytes).toBeGreaterThan(0);
  expect(await server.data('{ table(name: "raw.wide") { rows(first: 1) { rows } } }')).toMatchObject({
    table: { rows: { rows: [{ c0: '0' }] } },
  });
});

it('as events it is an error at the end, and no batch is the last', { timeout: busyMachineMs }, async () => {
  const payloads = await events<{
    readonly data?: { readonly trainingBatches?: { readonly last: boolean } | null } | null;
    readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  }>(await feed(eventType, wideColumns.slice(0, 16)));
  expect(payloads[0]?.data?.trainingBatches).toMatchObject({ last: false });
  expect(payloads.some((payload) => payload.data?.trainingBatches?.last === true)).toBe(false);
  expect(payloads.at(-1)?.errors).toMatchObject([{ extensions: { code: 'FAILED_PRECONDITION' } }]);
});

/** Its first pages stay, so that it is opened, and what follows up to the footer is no Parquet any more. */
async function damageNewestFile(): Promise<void> {
  const names = await readdir(server.directory, { recursive: true });
  const paths = names
    .filter((name) => name.includes('wide') && name.endsWith('.parquet'))
    .map((name) => join(server.directory, name));
  expect(paths.length).toBe(files);
  const byAge = await Promise.all(paths.map(async (path) => ({ path, mtimeMs: (await stat(path)).mtimeMs })));
  const newest = byAge.toSorted((left, right) => right.mtimeMs - left.mtimeMs)[0]?.path ?? '';
  const file = await open(newest, 'r+');
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read({ buffer: Buffer.alloc(8), position: size - 8 });
    const footerAt = size - 8 - buffer.readUInt32LE(0);
    const from = Math.floor(footerAt / 2);
    await file.write(Buffer.alloc(footerAt - from), 0, footerAt - from, from);
  } finally {
    await file.close();
  }
}
