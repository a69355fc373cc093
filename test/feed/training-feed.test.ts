import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { arrowType, eventBatch, events, eventType, type ReceivedBatch, rawBatches, subscribe, text } from './feed-client.ts';

const rowCount = 1000;
const batchSize = 64;
const trainingBatches = `subscription ($input: TrainingFeedInput!) {
  trainingBatches(input: $input) { ipc rowCount epoch globalBatch rowsTotal cursor last }
}`;

let server: TestServer;
let snapshotId: string;

beforeAll(async () => {
  server = await startTestServer();
  await data(`mutation { createTable(input: { name: "raw.rows", columns: [
    { name: "n", type: "long", required: true }, { name: "text", type: "string" }, { name: "share", type: "double" },
    { name: "at", type: "timestamptz" }, { name: "tags", type: "list<string>" }
  ] }) { table { name } } }`);
  // Three snapshots, so three files; every third text is null.
  for (const [from, to] of [
    [0, 400],
    [400, 401],
    [401, rowCount],
  ]) {
    const sql = `SELECT range AS n, CASE WHEN range % 3 = 0 THEN NULL ELSE 'row ' || range END AS text, range / 7 AS share,
      TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range) AS at, [CAST(range AS VARCHAR), NULL] AS tags FROM range(${from}, ${to})`;
    const { writeRows } = await data(
      'mutation ($sql: String!) { writeRows(input: { table: "raw.rows", rows: { sql: $sql }, mode: APPEND }) { snapshot { snapshotId } } }',
      { sql },
    );
    snapshotId = writeRows.snapshot.snapshotId;
  }
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
async function data(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
  const answer = await server.ask(query, variables);
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

const shuffled = { source: { table: { name: 'raw.rows' } }, batchSize, seed: '42', epoch: 3 };

async function raw(input: object): Promise<readonly ReceivedBatch[]> {
  const response = await subscribe({ origin: server.origin, query: trainingBatches, variables: { input }, accept: arrowType });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toBe(arrowType);
  return await rawBatches(response);
}

interface TrainingBatchEvent {
  readonly data: {
    readonly trainingBatches: {
      readonly ipc: string;
      readonly rowCount: number;
      readonly epoch: number;
      readonly globalBatch: string;
      readonly rowsTotal: string;
      readonly cursor: string;
      readonly last: boolean;
    };
  };
}

async function bySse(input: object): Promise<readonly TrainingBatchEvent['data']['trainingBatches'][]> {
  const response = await subscribe({ origin: server.origin, query: trainingBatches, variables: { input }, accept: eventType });
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
  return (await events<TrainingBatchEvent>(response)).map((event) => event.data.trainingBatches);
}

function rowsOf(batches: readonly Pick<ReceivedBatch, 'recordBatch'>[]): readonly string[] {
  return batches.flatMap(({ recordBatch }) =>
    recordBatch.toArray().map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))),
  );
}

function numbersOf(batches: readonly Pick<ReceivedBatch, 'recordBatch'>[]): readonly number[] {
  return batches.flatMap(({ recordBatch }) => Array.from(recordBatch.getChild('n') ?? [], Number));
}

const all = Array.from({ length: rowCount }, (_, n) => n);
const ascending = (left: number, right: number): number => left - right;

describe('raw Arrow by content negotiation', () => {
  it('is one stream with the epoch in its schema and the place of each batch beside it', async () => {
    const batches = await raw(shuffled);
    const [first] = batches;
    expect(first && Object.fromEntries(first.schemaMetadata)).toEqual({
      'icecore.snapshot-id': snapshotId,
      'icecore.rows-total': String(rowCount),
      'icecore.epoch': '3',
    });
    expect(batches.map((batch) => batch.recordBatch.numRows)).toEqual([...Array(15).fill(batchSize), rowCount % batchSize]);
    expect(batches.map((batch) => batch.metadata.get('icecore.global-batch'))).toEqual(batches.map((_, index) => String(index)));
    expect(batches.map((batch) => batch.metadata.get('icecore.last'))).toEqual([...Array(15).fill('false'), 'true']);
    expect(new Set(batches.map((batch) => batch.metadata.get('icecore.cursor'))).size).toBe(batches.length);
    expect([...numbersOf(batches)].sort(ascending)).toEqual(all);
  });

  it('gives the rows of server-sent events, each a stream of its own, in the same order', async () => {
    const [batches, sent] = await Promise.all([raw(shuffled), bySse(shuffled)]);
    const received = sent.map(({ ipc }) => eventBatch(ipc));
    expect(rowsOf(received)).toEqual(rowsOf(batches));
    expect(received.map(({ schemaMetadata }) => schemaMetadata)).toEqual(batches.map(({ schemaMetadata }) => schemaMetadata));
    expect(sent.map(({ ipc: _, ...event }) => event)).toEqual(
      batches.map(({ recordBatch, metadata }) => ({
        rowCount: recordBatch.numRows,
        epoch: 3,
        globalBatch: metadata.get('icecore.global-batch'),
        rowsTotal: String(rowCount),
        cursor: metadata.get('icecore.cursor'),
        last: metadata.get('icecore.last') === 'true',
      })),
    );
  });

  it('goes on from any cursor, with another batch size', async () => {
    const batches = await raw(shuffled);
    const whole = numbersOf(batches);
    for (const index of [0, 6, 15]) {
      const cursor = batches[index]?.metadata.get('icecore.cursor');
      const rest = await raw({ source: shuffled.source, cursor, batchSize: 100 });
      expect(numbersOf(rest)).toEqual(whole.slice((index + 1) * batchSize));
      expect(rest.at(-1)?.metadata.get('icecore.last')).toBe('true');
    }
  });

  it('is shared out over two ranks that make the whole', async () => {
    const whole = numbersOf(await raw(shuffled));
    const [first, second] = await Promise.all([0, 1].map((rank) => raw({ ...shuffled, rank, worldSize: 2 })));
    // Each rank has every other run of four lanes: a batch of both has the rows of two batches of the whole.
    const sorted = (rows: readonly number[]) => [...rows].sort(ascending);
    const shared = (first ?? []).map((batch, index) => numbersOf([batch, ...(second?.slice(index, index + 1) ?? [])]));
    expect(shared.map(sorted)).toEqual(shared.map((_, index) => sorted(whole.slice(index * 128, (index + 1) * 128))));
    expect(shared.flat().length).toBe(rowCount);
    const cursors = (batches: readonly ReceivedBatch[] = []) => batches.map((batch) => batch.metadata.get('icecore.cursor'));
    expect(cursors(first)).toEqual(cursors(second));
  });

  it('reads chosen columns, a filter and an older snapshot', async () => {
    const { table } = await data('{ table(name: "raw.rows") { snapshots(first: 10) { edges { node { snapshotId } } } } }');
    const oldest = table.snapshots.edges.at(-1).node.snapshotId;
    const source = { table: { name: 'raw.rows', asOf: { snapshotId: oldest } } };
    const batches = await raw({ source, columns: ['share', 'n'], where: 'n >= 390', shuffle: 'NONE' });
    expect(batches[0]?.schemaMetadata.get('icecore.rows-total')).toBe('10');
    expect(batches[0]?.schemaMetadata.get('icecore.snapshot-id')).toBe(oldest);
    expect(batches[0]?.recordBatch.schema.names).toEqual(['share', 'n']);
    expect(numbersOf(batches)).toEqual(all.slice(390, 400));
  });
});

describe('what fails before the first batch', () => {
  const source = { table: { name: 'raw.rows' } };
  const refusals = [
    ['an unknown training set', { source: { trainingSet: { name: 'late' } } }, 404, 'NOT_FOUND', /late/],
    ['an unknown table', { source: { table: { name: 'raw.rowz' } } }, 404, 'NOT_FOUND', /raw\.rowz.*raw\.rows/],
    ['a predicate that is none', { source, where: 'n >' }, 400, 'BAD_USER_INPUT', /n >/],
    ['an unknown column in a predicate', { source, where: 'm = 1' }, 400, 'BAD_USER_INPUT', /\bm\b/],
    ['an unknown column', { source, columns: ['m'] }, 400, 'BAD_USER_INPUT', /\bm\b/],
    ['a damaged cursor', { source, cursor: 'abc' }, 400, 'BAD_USER_INPUT', /cursor/],
    ['an input of the wrong type', { source, batchSize: 'many' }, 400, 'BAD_USER_INPUT', /batchSize/],
  ] as const;

  it.each(refusals)('%s is JSON with a status, also where only Arrow is accepted', async (_, input, status, code, message) => {
    for (const accept of [arrowType, `${arrowType}, application/json;q=0.5`]) {
      const response = await subscribe({ origin: server.origin, query: trainingBatches, variables: { input }, accept });
      expect(response.headers['content-type']).toMatch(/^application\/(graphql-response\+)?json/);
      const { errors } = JSON.parse(await text(response));
      expect(errors).toMatchObject([{ extensions: { code } }]);
      expect(errors[0].message).toMatch(message);
      expect(response.statusCode).toBe(status);
    }
    // The flusher of the journal holds one for a moment at times.
    await expect.poll(() => server.icecore.duckdb.trusted.leased, { timeout: 10_000 }).toBe(0);
  });

  it('a query has no Arrow form, and says so', async () => {
    const response = await subscribe({ origin: server.origin, query: '{ viewer { actor { id } } }', accept: arrowType });
    expect(response.statusCode).toBe(406);
    expect(JSON.parse(await text(response)).errors[0].message).toMatch(/application\/json/);
  });
});

describe('sqlBatches', () => {
  const query = `subscription ($statement: String!) {
    sqlBatches(statement: $statement) { ipc rowCount last snapshots { tableName snapshotId } }
  }`;
  const variables = { statement: `SELECT n, text, share FROM raw.rows WHERE n % 2 = 0 ORDER BY n DESC` };

  it('is the same over both transports', async () => {
    const response = await subscribe({ origin: server.origin, query, variables, accept: arrowType });
    expect(response.statusCode).toBe(200);
    const batches = await rawBatches(response);
    expect(numbersOf(batches)).toEqual(all.filter((n) => n % 2 === 0).reverse());
    const sent = await events<{ readonly data: { readonly sqlBatches: { readonly ipc: string; readonly last: boolean } } }>(
      await subscribe({ origin: server.origin, query, variables, accept: eventType }),
    );
    const sqlBatches = sent.map((event) => event.data.sqlBatches);
    expect(rowsOf(sqlBatches.map(({ ipc }) => eventBatch(ipc)))).toEqual(rowsOf(batches));
    expect(sqlBatches.map(({ last }) => last)).toEqual([...Array(sent.length - 1).fill(false), true]);
    expect(sqlBatches[0]).toMatchObject({ snapshots: [{ tableName: 'raw.rows', snapshotId }] });
  });

  it('gives an empty result its columns', async () => {
    const none = { statement: 'SELECT n, text FROM raw.rows WHERE n < 0' };
    const batches = await rawBatches(await subscribe({ origin: server.origin, query, variables: none, accept: arrowType }));
    expect(batches.map(({ recordBatch }) => [recordBatch.numRows, recordBatch.schema.names])).toEqual([[0, ['n', 'text']]]);
  });

  it('refuses early as JSON with a status', async () => {
    const wrong = { statement: "SELECT * FROM read_csv('/etc/passwd')" };
    const response = await subscribe({ origin: server.origin, query, variables: wrong, accept: arrowType });
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(await text(response)).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describeWith(['python3'], 'pyarrow', () => {
  it('reads the same stream', { timeout: 5 * 60_000 }, async () => {
    const python = pythonEnvironment(join(import.meta.dirname, '../python/arrow.lock'));
    const batches = await raw(shuffled);
    const script = join(import.meta.dirname, 'read_feed.py');
    const args = [script, server.origin, trainingBatches, JSON.stringify({ input: shuffled })];
    const read = JSON.parse((await promisify(execFile)(python, args)).stdout);
    expect(read.metadata).toEqual({
      'icecore.snapshot-id': snapshotId,
      'icecore.rows-total': String(rowCount),
      'icecore.epoch': '3',
    });
    expect(read.types).toMatchObject({ n: 'int64', text: 'string', share: 'double', at: 'timestamp[us, tz=UTC]' });
    const places = ['icecore.cursor', 'icecore.global-batch', 'icecore.last'];
    expect(
      read.batches.map((batch: { readonly metadata: Readonly<Record<string, string>> }) =>
        places.map((name) => batch.metadata[name]),
      ),
    ).toEqual(batches.map(({ metadata }) => places.map((name) => metadata.get(name))));
    expect(read.batches.flatMap((batch: { readonly rows: { readonly n: readonly number[] } }) => batch.rows.n)).toEqual(
      numbersOf(batches),
    );
    expect(read.batches[0].rows.text).toEqual([...(batches[0]?.recordBatch.getChild('text') ?? [])]);
    expect(read.batches[0].rows.tags[0]).toEqual([String(numbersOf(batches)[0]), null]);
  });
});
