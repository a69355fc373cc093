import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.ask(
    'mutation { createTable(input: { name: "raw.up", columns: [{ name: "id", type: "long" }, { name: "value", type: "double" }] }) { table { id } } }',
  );
});
afterAll(() => server.close());

function stream(ids: readonly bigint[], values: readonly number[]): Uint8Array {
  return tableToIPC(tableFromArrays({ id: BigInt64Array.from(ids), value: Float64Array.from(values) }), 'stream');
}

async function post(parameters: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${server.origin}/tables/raw.up/rows${parameters}`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.apache.arrow.stream', ...headers },
    body: Buffer.from(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  return { status: response.status, body: (await response.json()) as any };
}

async function rows(): Promise<unknown> {
  return (await server.ask('{ sql(statement: "SELECT id, value FROM raw.up ORDER BY id") { rows } }')).data.sql.rows;
}

describe('POST /tables/NAME/rows', () => {
  it('appends, upserts and deletes the rows of an Arrow stream', async () => {
    const appended = await post('', stream([1n, 2n], [0.5, 1.5]));
    expect(appended).toEqual({
      status: 200,
      body: { snapshotId: expect.stringMatching(/^\d+$/), rowsAdded: '2', rowsRemoved: '0' },
    });
    const upserted = await post(`?mode=UPSERT&keys=id&expectedSnapshotId=${appended.body.snapshotId}`, stream([2n, 3n], [9, 10]));
    expect(upserted.body).toMatchObject({ rowsAdded: '2', rowsRemoved: '1' });
    expect(await rows()).toEqual([
      { id: '1', value: 0.5 },
      { id: '2', value: 9 },
      { id: '3', value: 10 },
    ]);
    const stale = await post(`?mode=DELETE&keys=id&expectedSnapshotId=${appended.body.snapshotId}`, stream([1n], [0]));
    expect([stale.status, stale.body.errors[0].extensions.code]).toEqual([409, 'CONFLICT']);
    expect((await post('?mode=DELETE&keys=id', stream([1n, 3n], [0, 0]))).body.rowsRemoved).toBe('2');
    expect(await rows()).toEqual([{ id: '2', value: 9 }]);
  });

  it('has one effect for each idempotency key, and tells bodies apart', async () => {
    const headers = { 'idempotency-key': 'load-7' };
    const first = await post('', stream([7n], [7]), headers);
    expect(await post('', stream([7n], [7]), headers)).toEqual(first);
    const other = await post('', stream([8n], [7]), headers);
    expect([other.status, other.body.errors[0].extensions.code]).toEqual([409, 'CONFLICT']);
    expect(await rows()).toEqual([
      { id: '2', value: 9 },
      { id: '7', value: 7 },
    ]);
  });

  it('refuses what is no Arrow stream, is cut, or does not fit', async () => {
    const whole = stream([1n, 2n, 3n], [1, 2, 3]);
    const refusals = [
      await post('', Buffer.from('{"id": 1}')),
      await post('', whole.subarray(0, whole.length - 40)),
      await post('?mode=MERGE', whole),
      await post('?moode=APPEND', whole),
      await post('', tableToIPC(tableFromArrays({ other: Float64Array.of(1) }), 'stream')),
      await post('', whole, { 'content-type': 'text/plain' }),
    ];
    expect(refusals.map(({ status, body }) => [status, body.errors[0].extensions.code])).toEqual(
      refusals.map(() => [400, 'BAD_USER_INPUT']),
    );
    expect(await rows()).toHaveLength(2);
  });
});

it('takes no body of a caller who may not write, also under an idempotency key', async () => {
  const keys = JSON.stringify([{ key: 'viewer-key', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] }]);
  const guarded = await startTestServer({ keys });
  try {
    const upload = request(`${guarded.origin}/tables/raw.up/rows`, {
      method: 'POST',
      headers: {
        'content-type': 'application/vnd.apache.arrow.stream',
        authorization: 'Bearer viewer-key',
        'idempotency-key': 'endless',
      },
    });
    // Never ended: an answer comes all the same.
    upload.write(stream([1n], [1]));
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(403);
    upload.destroy();
  } finally {
    await guarded.close();
  }
});
