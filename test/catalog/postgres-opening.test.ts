import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { migrations } from '../../src/catalog/postgres/migrations.ts';
import { ManualClock, systemClock } from '../../src/clock.ts';
import { PostgresServer } from '../environment/postgres.ts';

const clock = new ManualClock(1_000_000_000_000_000n);
const entry = { table: 'icecore.runs', subject: 'run/2', row: '{"n":2}' };

/** What a server of each version could have left behind: statements that fill a database of that version, on top of those before. */
const filledBy: readonly string[] = [
  `
  INSERT INTO icecore.namespaces VALUES ('raw', '', '["raw"]', '{"owner":"ann"}');
  INSERT INTO icecore.pointers VALUES ('raw.flights', 'table', '["raw"]', 'flights', 'u1', 'm1'), ('raw.daily', 'view', '["raw"]', 'daily', 'u2', 'm2');
  INSERT INTO icecore.journal VALUES (1, 'icecore.runs', 'run/1', '{"n":1}', NULL), (2, 'icecore.audit_log', 'chain/audit', '{}', 999999999000);
  INSERT INTO icecore.journal_heads VALUES ('run/1', 1), ('chain/audit', 2);
  INSERT INTO icecore.chain_heads VALUES ('audit', 1, '${'ab'.repeat(32)}');
  INSERT INTO icecore.leases VALUES ('run/1', 'server-1', nextval('icecore.fences'), 1000000060000);
  INSERT INTO icecore.answers VALUES ('ann/writeRows', 'k1', 'sha', '{"rows":1}', 1000000060000);
  UPDATE icecore.counters SET head_seq = 2, commits = 2;
  `,
];

let postgres: PostgresServer;
let database: string;

beforeAll(async () => {
  postgres = await PostgresServer.start();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  database = await postgres.createDatabase();
});
afterEach(() => postgres.dropDatabase(database));

async function refusal(uri: string): Promise<{ readonly error: unknown; readonly printed: string }> {
  const error = await openCatalog(uri, systemClock).catch((reason: unknown) => reason);
  const cause = error instanceof Error ? error.cause : undefined;
  return { error, printed: `${error} ${JSON.stringify(error)} ${cause} ${JSON.stringify(cause)}` };
}

describe('opening', () => {
  test('many at once, in a database that is empty', async () => {
    const catalogs = await Promise.all(Array.from({ length: 8 }, () => openCatalog(postgres.uri(database), systemClock)));
    await Promise.all(catalogs.map((catalog) => catalog.commit({ entries: [entry] })));
    expect(await catalogs[0]?.headSeq()).toBe(8n);
    for (const catalog of catalogs) await catalog.close();
  });

  test('what was committed is there after closing; a closed catalog takes no commit', async () => {
    const first = await openCatalog(postgres.uri(database), systemClock);
    const pending = first.commit({ entries: [entry] });
    await first.close();
    expect((await pending).seqs).toEqual([1n]);
    await expect(first.commit({})).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    await expect(first.headSeq()).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    const second = await openCatalog(postgres.uri(database), systemClock);
    expect(await second.headSeq()).toBe(1n);
    await second.close();
    const left = await postgres.query('postgres', 'SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = $1', [
      database,
    ]);
    expect(left).toEqual([{ count: 0 }]);
  });

  test('a user that may use the schema and nothing else is enough once it is there', async () => {
    await (await openCatalog(postgres.uri(database), systemClock)).close();
    const user = `user_${database}`;
    await postgres.query(
      database,
      `CREATE ROLE ${user} LOGIN PASSWORD 'theirs';
      GRANT USAGE ON SCHEMA icecore TO ${user};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA icecore TO ${user};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA icecore TO ${user}`,
    );
    const catalog = await openCatalog(postgres.uri(database).replace(/\/\/.*@/, `//${user}:theirs@`), systemClock);
    await catalog.commit({ entries: [entry] });
    expect(await catalog.acquireLease('l', 'o', 1000)).toBe(1n);
    await catalog.close();
    await postgres.query(database, `DROP OWNED BY ${user}; DROP ROLE ${user}`);
  });

  test('a database that cannot be used is refused by its host and name, and never by a word of the password', async () => {
    const uri = postgres.uri(database);
    const place = `127.0.0.1:${postgres.port}`;
    const cases = [
      [uri.replace('secret-of', 'another-of'), `${place}/${database} refuses the login`],
      [uri.replace(database, 'nowhere'), `${place}/nowhere does not exist`],
      [uri.replace(String(postgres.port), String(await closedPort())), 'cannot be reached (ECONNREFUSED)'],
      [`${uri}?sslmode=require`, 'cannot be trusted (The server does not support SSL connections)'],
      [`${uri}?sslmode=verify-ca&sslrootcert=/nowhere/ca.crt`, 'a file that --catalog names cannot be read'],
    ] as const;
    for (const [address, message] of cases) {
      const { error, printed } = await refusal(address);
      expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(message) });
      expect(printed).not.toMatch(/(secret|another)-of-the-tests/);
    }
  });

  test('a database that takes no writes, and one that cannot hold every name, are refused', async () => {
    await postgres.query('postgres', `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    const { error } = await refusal(postgres.uri(database));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(`${database} takes no writes`) });
    const latin = `latin_${database}`;
    await postgres.query('postgres', `CREATE DATABASE ${latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
    expect((await refusal(postgres.uri(latin))).error).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('has the encoding LATIN1'),
    });
    await postgres.dropDatabase(latin);
  });

  test('a database that stops taking writes says so, and is read on', async () => {
    const catalog = await openCatalog(postgres.uri(database), systemClock);
    await catalog.commit({ entries: [entry] });
    await postgres.query('postgres', `ALTER DATABASE ${database} SET default_transaction_read_only = on`);
    await postgres.query('postgres', 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
    await expect(catalog.commit({ entries: [entry] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('takes no writes'),
    });
    expect(await catalog.headSeq()).toBe(1n);
    await catalog.close();
  });

  test.each([
    'postgres://ann:se%cret@host/db',
    'postgres://ann:se cret@ho st/db',
    'postgres://ann:secret@host/db?sslmode=prefer',
    'postgres://ann:secret@host/db?sslmode=verify-ca',
    'postgresql://ann:secret@host:99999/db',
  ])('%s is refused without a word of what it holds', async (uri) => {
    const { error, printed } = await refusal(uri);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(printed).not.toMatch(/secret|se%cret|se cret/);
  });

  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    return address !== null && typeof address === 'object' ? address.port : 0;
  }
});

describe('a change that Postgres cannot store', () => {
  test('is refused alone, and those beside it are made', async () => {
    const catalog = await openCatalog(postgres.uri(database), systemClock);
    const outcomes = await Promise.allSettled([
      catalog.commit({ entries: [entry] }),
      catalog.commit({ entries: [{ ...entry, subject: 'run/\0' }] }),
      catalog.commit({ entries: [entry] }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({
      reason: { code: 'BAD_USER_INPUT', message: expect.stringContaining('cannot store this') },
    });
    expect(await catalog.headSeq()).toBe(2n);
    expect(await catalog.load({ namespace: ['raw'], name: 'a\0' })).toBeNull();
    expect(await catalog.loadNamespace(['a\0'])).toBeNull();
    await catalog.close();
  });
});

describe('migrations', () => {
  test('every version has an example of what it left behind', () => {
    expect(filledBy).toHaveLength(migrations.length);
  });

  test('no version that was released is edited: databases of it are out there', () => {
    const released = migrations.map((migration) => createHash('sha256').update(migration).digest('hex').slice(0, 16));
    expect(released).toEqual(['84243ebb904cea5c']);
  });

  test.each(migrations.map((_, index) => index + 1))(
    'a database of version %i loses nothing on its way to the newest',
    async (version) => {
      await makeDatabase(version);
      const catalog = await openCatalog(postgres.uri(database), clock);
      const raw = { namespace: ['raw'], properties: { owner: 'ann' } };
      expect(await catalog.loadNamespace(['raw'])).toEqual({ parts: raw.namespace, properties: raw.properties });
      expect(await catalog.load({ namespace: ['raw'], name: 'flights' })).toMatchObject({ uuid: 'u1', metadataLocation: 'm1' });
      expect(await catalog.loadView({ namespace: ['raw'], name: 'daily' })).toMatchObject({ uuid: 'u2', metadataLocation: 'm2' });
      const { entries } = await catalog.journalAfter(0n, 10);
      expect(entries.map(({ seq, flushed }) => [seq, flushed])).toEqual([
        [1n, false],
        [2n, true],
      ]);
      expect(await catalog.chainHead('audit')).toEqual({ seq: 1n, hash: 'ab'.repeat(32) });
      expect(await catalog.leaseHolder('run/1')).toEqual({ owner: 'server-1', fence: 1n });
      expect(await catalog.answer('ann/writeRows', 'k1')).toEqual({ inputSha256: 'sha', answer: '{"rows":1}' });
      // And it goes on from there.
      expect((await catalog.commit({ guards: [{ subject: 'run/1', seq: 1n }], entries: [entry] })).seqs).toEqual([3n]);
      expect(await catalog.acquireLease('run/2', 'server-2', 1000)).toBe(2n);
      await catalog.close();
    },
  );

  test('a database of a newer server is refused by name', async () => {
    await (await openCatalog(postgres.uri(database), systemClock)).close();
    await postgres.query(database, 'INSERT INTO icecore.schema_versions VALUES (999, 0)');
    const { error } = await refusal(postgres.uri(database));
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/schema version 999/) });
  });

  /** A database as a server that knew so many versions left it. */
  async function makeDatabase(version: number): Promise<void> {
    await postgres.query(
      database,
      'CREATE SCHEMA icecore; CREATE TABLE icecore.schema_versions (version bigint PRIMARY KEY, applied_at_ms bigint NOT NULL)',
    );
    for (let index = 0; index < version; index += 1) {
      await postgres.query(database, migrations[index] ?? '');
      await postgres.query(database, filledBy[index] ?? '');
      await postgres.query(database, 'INSERT INTO icecore.schema_versions VALUES ($1, 0)', [index + 1]);
    }
  }
});
