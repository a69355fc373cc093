import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { arrowType, eventBatch, events, eventType, subscribe } from '../feed/feed-client.ts';
import { ServerProcess } from '../http/server-process.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { messageEnds, PoliteProxy } from './polite-proxy.ts';
import { icecorePython, type ReadTraining, readTraining } from './python-reader.ts';

const rowCount = 3000;
const batchSize = 64;
const batches = Math.ceil(rowCount / batchSize);
const feed = { table: 'raw.rows', batch_size: batchSize, seed: 42, epoch: 3 };
const installMs = 5 * 60_000;

const numbers = ({ batches: read }: Pick<ReadTraining, 'batches'>): readonly number[] => read.flatMap(({ n }) => n);
const digests = ({ batches: read }: ReadTraining): readonly string[] => read.map(({ digest }) => digest);
const portOf = (origin: string): number => Number(new URL(origin).port);

describeWith(['python3'], 'icecore.arrow over the feed', () => {
  let store: string;
  let server: ServerProcess;
  let whole: ReadTraining;

  beforeAll(async () => {
    icecorePython();
    store = await mkdtemp(join(tmpdir(), 'icecore-python-feed-'));
    server = await ServerProcess.start({}, `sqlite:${store}/catalog.sqlite`);
    await server.data(`mutation { createTable(input: { name: "raw.rows", columns: [
      { name: "n", type: "long", required: true }, { name: "text", type: "string" }, { name: "share", type: "double" },
      { name: "at", type: "timestamptz" }, { name: "tags", type: "list<string>" }
    ] }) { table { name } } }`);
    for (const [from, to] of [
      [0, 400],
      [400, 401],
      [401, rowCount],
    ]) {
      const sql = `SELECT range AS n, CASE WHEN range % 3 = 0 THEN NULL ELSE 'row ' || range END AS text, range / 7 AS share,
        TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range) AS at, [CAST(range AS VARCHAR), NULL] AS tags FROM range(${from}, ${to})`;
      await server.data(
        'mutation ($sql: String!) { writeRows(input: { table: "raw.rows", rows: { sql: $sql }, mode: APPEND }) { snapshot { snapshotId } } }',
        { sql },
      );
    }
    whole = await readTraining({ ...feed, url: server.origin });
  }, installMs);
  afterAll(async () => {
    await server.stop();
    await rm(store, { recursive: true, force: true });
  });

  it('gives the rows and cursors of server-sent events, in the same order', async () => {
    const query = `subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { ipc cursor last } }`;
    const input = { source: { table: { name: 'raw.rows' } }, batchSize, seed: '42', epoch: 3 };
    const response = await subscribe({ origin: server.origin, query, variables: { input }, accept: eventType });
    interface Sent {
      readonly data: { readonly trainingBatches: { readonly ipc: string; readonly cursor: string; readonly last: boolean } };
    }
    const sent = (await events<Sent>(response)).map((event) => event.data.trainingBatches);
    expect(sent.map(({ cursor, last }) => [cursor, last])).toEqual(whole.batches.map(({ cursor, done }) => [cursor, done]));
    const rows = sent.flatMap(({ ipc }) => Array.from(eventBatch(ipc).recordBatch.getChild('n') ?? [], Number));
    expect(numbers(whole)).toEqual(rows);
    expect(whole.rowsTotal).toBe(rowCount);
    expect(new Set(rows).size).toBe(rowCount);
    expect(whole.types).toEqual(['int64', 'string', 'double', 'timestamp[us, tz=UTC]', 'list<element: string>']);
  });

  it('goes on from the state of another reader', async () => {
    const begun = await readTraining({ ...feed, url: server.origin, take: 7 });
    const last = begun.batches.at(-1);
    const state = { cursor: last?.cursor, done: last?.done };
    const rest = await readTraining({ ...feed, url: server.origin, state });
    expect([...digests(begun), ...digests(rest)]).toEqual(digests(whole));
    const end = await readTraining({ ...feed, url: server.origin, state: { cursor: whole.batches.at(-1)?.cursor, done: true } });
    expect(end.batches).toEqual([]);
  });

  it('reads every row once, in order, over connections that are cut at any byte', async () => {
    const cuts = cutter(6, 20_000);
    const proxy = await CuttingProxy.start(portOf(server.origin), (connection) =>
      connection < 12 ? { afterBytes: cuts() } : null,
    );
    try {
      const read = await readTraining({ ...feed, url: proxy.origin });
      expect(read.batches).toEqual(whole.batches);
      expect(proxy.connections).toBeGreaterThan(6);
    } finally {
      await proxy.stop();
    }
  });

  it('reads every row once where the server is killed, and started anew', async () => {
    const first = await ServerProcess.start({}, `sqlite:${store}/catalog.sqlite`);
    let second: ServerProcess | null = null;
    const killed = async (): Promise<void> => {
      proxy.target = null;
      await first.stop();
      const started = await ServerProcess.start({}, `sqlite:${store}/catalog.sqlite`);
      second = started;
      proxy.target = portOf(started.origin);
    };
    const proxy = await CuttingProxy.start(portOf(first.origin), (connection) =>
      connection === 0 ? { afterBytes: 70_000, first: killed } : null,
    );
    try {
      const read = await readTraining({ ...feed, url: proxy.origin });
      expect(read.batches).toEqual(whole.batches);
      expect(second).not.toBeNull();
    } finally {
      await proxy.stop();
      await first.stop();
      await (second as ServerProcess | null)?.stop();
    }
  });

  it('takes no stream for whole that ends without the batch marked as last', async () => {
    const query = `subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { cursor } }`;
    const input = { source: { table: { name: 'raw.rows' } }, batchSize, seed: '42', epoch: 3 };
    const response = await subscribe({ origin: server.origin, query, variables: { input }, accept: arrowType });
    const ends = messageEnds(await buffer(response));
    expect(ends).toHaveLength(1 + batches);
    // Behind the schema alone, and behind a few batches.
    const proxy = await PoliteProxy.start(
      server.origin,
      [0, 1, 4, 9].map((message) => ends[message] ?? 0),
    );
    try {
      expect((await readTraining({ ...feed, url: proxy.origin })).batches).toEqual(whole.batches);
      expect(proxy.answers).toBe(5);
    } finally {
      await proxy.stop();
    }
  });

  it('is shared out over ranks that make the whole', async () => {
    const ranks = await Promise.all([0, 1].map((rank) => readTraining({ ...feed, url: server.origin, rank, world_size: 2 })));
    expect(ranks.flatMap(numbers).toSorted((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, n) => n));
    const cursors = ranks.map(({ batches: read }) => read.map(({ cursor }) => cursor).slice(0, Math.floor(batches / 2)));
    expect(cursors[0]).toEqual(cursors[1]);
  });

  it.each([
    [{ table: 'raw.rowz' }, 'NOT_FOUND', /raw\.rowz/],
    [{ where: 'm = 1' }, 'BAD_USER_INPUT', /\bm\b/],
    [{ cursor: 'abc' }, 'BAD_USER_INPUT', /cursor/],
    [{ batch_size: 0 }, 'BAD_USER_INPUT', /batchSize/],
    [{ training_set: 'both' }, 'BAD_USER_INPUT', /not both/],
    [{ columns: 'n' }, 'BAD_USER_INPUT', /list of names/],
    [{ url: 'ftp://here' }, 'BAD_USER_INPUT', /no address/],
    [{ url: 'http://127.0.0.1:1', patience_s: 0.2 }, 'UNREACHABLE', /refused/],
  ])('refuses %o at once, and says why', async (asked, code, message) => {
    const refused = await readTraining({ ...feed, url: server.origin, ...asked });
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
  });
});

/** Numbers of bytes up to a limit, the same ones in each run. */
function cutter(seed: number, max: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return 300 + (state % max);
  };
}
