import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../src/access/caller.ts';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { GuardedLakehouse, keyOf, secret, type Who } from './guarded-lakehouse.ts';

describe('a server that tells its callers apart', () => {
  let lakehouse: GuardedLakehouse;
  beforeAll(async () => {
    lakehouse = await GuardedLakehouse.open();
  }, 120_000);
  afterAll(() => lakehouse.close());

  const caller = (id: string): Caller => ({
    actor: { id, name: null, kind: 'HUMAN' },
    roles: new Set(['scientist']),
    assurance: 'CREDENTIAL',
  });
  const hidden = { namespace: ['secret'], name: `${secret}_vault` };

  test('answers callers at once, each by their own grants, whatever they share', async () => {
    const callers: readonly Who[] = ['rita', 'fay', 'lou', 'nil', 'adm', 'ben'];
    const queries = [
      '{ tables(first: 50) { edges { node { name uuid location } } } }',
      '{ models { edges { node { name } } } runs(first: 50) { edges { node { id } } } auditLog(first: 50) { edges { node { seq payload } } } }',
      `{ sql(statement: "SELECT count(*) AS n FROM secret.${secret}_vault") { rows } }`,
      '{ sql(statement: "SELECT count(*) AS n FROM features.plain") { rows } }',
      '{ table(name: "features.plain") { properties refs { edges { node { name } } } } search(text: "a", first: 50) { edges { node { id } } } }',
    ];
    const asked = callers.flatMap((who) => queries.map((query) => [who, query] as const));
    const alone = new Map<string, string>();
    for (const [who, query] of asked) alone.set(`${who} ${query}`, JSON.stringify(await lakehouse.ask(who, query)));
    expect(new Set(queries.map((query) => alone.get(`fay ${query}`) === alone.get(`rita ${query}`)))).toEqual(
      new Set([false, true]),
    );
    // In an order of no meaning, many at a time, again and again.
    const many = Array.from({ length: 5 }, () => asked).flat();
    const shuffled = many.map((each, index) => [(index * 7919) % many.length, each] as const).sort(([a], [b]) => a - b);
    const answers = await Promise.all(
      shuffled.map(async ([, [who, query]]) => [who, query, JSON.stringify(await lakehouse.ask(who, query))] as const),
    );
    for (const [who, query, answer] of answers) expect(answer, `${who} ${query}`).toBe(alone.get(`${who} ${query}`));
  });

  test('works at a run for who asked for it, whoever begins it, and for itself at all around', async () => {
    const { access, runs, tables } = lakehouse.server.icecore;
    const seen: unknown[] = [];
    runs.register('look', {
      kind: 'EXTERNAL',
      handler: async (context) => {
        seen.push(access.permissions.subject, await tables.find(hidden));
        const transaction = context.transaction();
        context.finish(transaction, { result: null, inputs: [], outputs: [] });
        await transaction.commit();
      },
    });
    // Rita's call, say one that lets a queue go on, begins what fay has asked for.
    const run = await access.asCaller(caller('rita'), () => runs.start({ caller: caller('fay'), operation: 'look', input: {} }));
    const ended = await access.asServer(() => runs.ended(run.id));
    expect([ended.status, seen]).toEqual(['SUCCEEDED', ['fay', null]]);
    // About nothing, it shows to who asked for it alone.
    const shows = (id: string) => access.asCaller(caller(id), async () => (await runs.get(run.id)) !== null);
    expect([await shows('fay'), await shows('lou'), await shows('rita')]).toEqual([true, false, true]);
  });

  test('shows nothing to work in no scope, and all to its own', async () => {
    const { access, catalog, tables } = lakehouse.server.icecore;
    expect(await tables.find(hidden)).toBeNull();
    expect(await catalog.list({ limit: 10 })).toEqual([]);
    expect((await access.asServer(() => tables.find(hidden)))?.identifier).toEqual(hidden);
    const listed = await access.asCaller(caller('fay'), () => tables.list({ limit: 2 }));
    // A whole page, though what may not be read lies between and before.
    expect(listed.map(({ identifier }) => identifier.name)).toEqual(['computed', 'copy']);
  });

  test('flushes its own tables for who waits for them and may not read them', async () => {
    const { data } = await lakehouse.ask('rita', '{ sql(statement: "SELECT count(*) AS n FROM icecore.audit_log") { rows } }');
    expect(Number(data.sql.rows[0].n)).toBeGreaterThan(10);
    const { ledger, access } = lakehouse.server.icecore;
    await lakehouse.ask(
      'fay',
      'mutation { writeRows(input: { table: "features.copy", rows: { json: [{ k: "1" }] } }) { rowsAdded } }',
    );
    await access.asNobody(() => ledger.flush());
  });

  test('knows a key, and nothing without', async () => {
    const response = await fetch(`${lakehouse.server.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ tables { edges { node { name } } } }' }),
    });
    expect(response.status).toBe(401);
    expect(keyOf('fay')).not.toBe(keyOf('nil'));
  });
});

describe('at the start', () => {
  const keys = JSON.stringify([{ key: 'fay-key-of-the-test', subject: 'fay', kind: 'HUMAN', roles: ['viewer'] }]);
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-grants-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const config = (environment: Readonly<Record<string, string>>) =>
    parseConfig([], { ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite`, ...environment });

  test('grants without keys, and grants that cannot be read, stop the server', async () => {
    const grants = '[{"subject":"fay","on":"*","may":"read"}]';
    await expect(Icecore.open(config({ ICECORE_GRANTS: grants }))).rejects.toThrow(/ICECORE_API_KEYS/);
    await expect(Icecore.open(config({ ICECORE_API_KEYS: keys, ICECORE_GRANTS: '[{}]' }))).rejects.toThrow(/ICECORE_GRANTS\[0\]/);
    await expect(Icecore.open(config({ ICECORE_API_KEYS: keys, ICECORE_GRANTS: `${directory}/none.json` }))).rejects.toThrow(
      /none\.json/,
    );
  });

  test('keys without grants show nobody anything, which the server says', async () => {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const args = [main, 'serve', '--port', '0', '--catalog', `sqlite:${directory}/catalog.sqlite`];
    const server = spawn(process.execPath, args, { cwd: directory, env: { ...process.env, ICECORE_API_KEYS: keys } });
    try {
      for await (const line of createInterface(server.stderr)) {
        if (!line.includes('ICECORE_GRANTS')) continue;
        expect(line).toMatch(/nobody sees any table/);
        return;
      }
      throw new Error('the server said nothing');
    } finally {
      server.kill('SIGKILL');
    }
  });
});
