import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Catalog, CommitEvent } from '../../src/catalog/catalog.ts';
import { PostgresCatalog } from '../../src/catalog/postgres-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { PostgresServer } from '../environment/postgres.ts';
import { type Passage, TcpProxy } from '../environment/tcp-proxy.ts';
import { auditLink, chainAuthors, wholeJournal } from './chain.ts';

let postgres: PostgresServer;
let database: string;
let proxy: TcpProxy;

beforeAll(async () => {
  postgres = await PostgresServer.start();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = await postgres.createDatabase();
  proxy = await TcpProxy.start(postgres.port);
});
afterEach(async () => {
  await proxy.stop();
  await postgres.dropDatabase(database);
});

const throughProxy = (options: { readonly unreachableMsMax?: number } = {}) =>
  PostgresCatalog.open(postgres.uri(database).replace(`:${postgres.port}/`, `:${proxy.port}/`), systemClock, options);
const direct = () => PostgresCatalog.open(postgres.uri(database), systemClock);
/** As the message ends that asks for it; BEGIN speaks of READ COMMITTED. */
const commitMessage = 'COMMIT\0';
const entry = (subject: string) => ({ table: 'icecore.runs', subject, row: '{}' });

/** Treats the first bytes that hold `sql` so, and passes all others. */
function atFirst(sql: string, passage: Passage): (bytes: Buffer) => Passage {
  let met = false;
  return (bytes) => {
    if (met || !bytes.includes(sql)) return 'pass';
    met = true;
    return passage;
  };
}

describe('a connection that is lost', () => {
  test('before the commit was sent: it is made again, and happens once', async () => {
    const catalog = await throughProxy();
    try {
      for (const [by, sql] of Object.entries({ begin: 'BEGIN', end: commitMessage })) {
        proxy.decide = atFirst(sql, 'cut');
        await catalog.commit({ entries: [entry(by)], links: [auditLink(by)] });
      }
      expect(await chainAuthors(catalog)).toEqual(['begin', 'end']);
      expect(await catalog.headSeq()).toBe(4n);
    } finally {
      await catalog.close();
    }
  });

  test('after the commit was sent: Postgres says that it happened, and the caller hears so', async () => {
    const catalog = await throughProxy();
    try {
      proxy.decide = atFirst(commitMessage, 'mute');
      const commits = await Promise.all(
        ['a', 'b', 'c'].map((by) => catalog.commit({ entries: [entry(by)], links: [auditLink(by)] })),
      );
      expect(commits.flatMap(({ seqs }) => seqs)).toEqual([1n, 2n, 3n, 4n, 5n, 6n]);
      expect(await chainAuthors(catalog)).toEqual(['a', 'b', 'c']);
    } finally {
      await catalog.close();
    }
  });

  test('for good, after the commit was sent: the error claims neither outcome', async () => {
    const catalog = await throughProxy({ unreachableMsMax: 100 });
    proxy.decide = (bytes) => {
      if (proxy.closed) return 'cut';
      proxy.closed = bytes.includes(commitMessage);
      return proxy.closed ? 'mute' : 'pass';
    };
    const error = await catalog.commit({ entries: [entry('run/1')] }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/could not be learnt whether it happened/) });
    // Where nothing was sent, it is certain that nothing happened.
    const refused = await catalog.commit({ entries: [entry('run/2')] }).catch((reason: unknown) => reason);
    expect(refused).toMatchObject({ code: 'OVERLOADED', retryable: true, message: expect.stringMatching(/nothing was written/) });
    await expect(catalog.headSeq()).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    expect(`${error} ${JSON.stringify(error)} ${refused} ${JSON.stringify(refused)}`).not.toContain('secret-of-the-tests');
    proxy.closed = false;
    proxy.decide = () => 'pass';
    expect(await catalog.headSeq()).toBe(1n);
    await catalog.close();
  });

  test.each([
    ['an administrator ends every connection', async () => endConnections()],
    ['Postgres crashes and comes back', async () => crashAndResume()],
    ['Postgres is shut down and started', async () => haltAndResume()],
  ])('again and again, since %s: each commit is there once, in one chain', async (_, disturb) => {
    const [left, right] = [await direct(), await direct()];
    const names = Array.from({ length: 8 }, (__, writer) => Array.from({ length: 40 }, (___, made) => `${writer}/${made}`));
    let acknowledged = 0;
    let disturbing: Promise<void> = Promise.resolve();
    try {
      const writers = names.map(async (mine, writer) => {
        const seqs: bigint[] = [];
        for (const by of mine) {
          const { seqs: given } = await (writer % 2 === 0 ? left : right).commit({
            entries: [entry(by)],
            links: [auditLink(by)],
          });
          seqs.push(...given);
          acknowledged += 1;
          if (acknowledged % 60 === 0) disturbing = disturbing.then(disturb);
        }
        return seqs;
      });
      const seqs = (await Promise.all(writers)).flat();
      await disturbing;
      expect((await chainAuthors(left)).toSorted()).toEqual(names.flat().toSorted());
      expect(seqs.toSorted((a, b) => Number(a - b))).toEqual(Array.from({ length: 640 }, (__, at) => BigInt(at + 1)));
      expect((await wholeJournal(right)).map(({ seq }) => seq)).toEqual(Array.from({ length: 640 }, (__, at) => BigInt(at + 1)));
    } finally {
      await left.close();
      await right.close();
    }
  });

  test('for good: the catalog can be closed nonetheless', async () => {
    const [catalog, idle] = [await throughProxy({ unreachableMsMax: 100 }), await throughProxy()];
    proxy.closed = true;
    proxy.cutAll();
    const refused = expect(catalog.commit({ entries: [entry('run/1')] })).rejects.toMatchObject({ code: 'OVERLOADED' });
    await Promise.all([catalog.close(), idle.close()]);
    await refused;
  });

  test('and a server that answers nothing at all: the catalog can be closed', async () => {
    const catalog = await throughProxy();
    const swallowed = new Promise<void>((resolve) => {
      proxy.decide = () => {
        resolve();
        return 'swallow';
      };
    });
    proxy.cutAll();
    // The connection that listens is made again, and gets no answer.
    await swallowed;
    await catalog.close();
  });

  async function endConnections(): Promise<void> {
    const sql = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()';
    await postgres.query(database, sql, [database]);
  }

  async function crashAndResume(): Promise<void> {
    await postgres.crash();
    await postgres.resume();
  }

  async function haltAndResume(): Promise<void> {
    await postgres.halt();
    await postgres.resume();
  }
});

/** What a catalog tells its listeners, and a way to wait for it. */
class Heard {
  readonly events: CommitEvent[] = [];
  #wake: () => void = () => undefined;

  constructor(catalog: Catalog) {
    catalog.onCommit((event) => {
      this.events.push(event);
      this.#wake();
    });
  }

  /** Resolves once a head as high as this was told. */
  async head(headSeq: bigint): Promise<void> {
    while (!this.events.some((event) => event.headSeq >= headSeq)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

describe('listeners', () => {
  test('hear of their own commits once, and of others, on other servers, once', async () => {
    const [catalog, other] = [await direct(), await direct()];
    try {
      const [heard, others] = [new Heard(catalog), new Heard(other)];
      for (const by of ['a', 'b']) await catalog.commit({ entries: [entry(by)] });
      await others.head(2n);
      await other.commit({ entries: [entry('c')] });
      await heard.head(3n);
      expect(heard.events.map(({ headSeq }) => headSeq)).toEqual([1n, 2n, 3n]);
      expect(others.events.map(({ headSeq }) => headSeq)).toEqual([1n, 2n, 3n]);
    } finally {
      await catalog.close();
      await other.close();
    }
  });

  test('are woken after the connection was lost, for what they missed meanwhile, and hear on', async () => {
    const [catalog, other] = [await throughProxy(), await direct()];
    try {
      const heard = new Heard(catalog);
      proxy.closed = true;
      proxy.cutAll();
      await other.commit({ entries: [entry('missed')] });
      proxy.closed = false;
      await heard.head(1n);
      await other.commit({ entries: [entry('heard')] });
      await heard.head(2n);
    } finally {
      await catalog.close();
      await other.close();
    }
  });
});
