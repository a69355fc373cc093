import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { migrations } from '../../src/catalog/sqlite/migrations.ts';
import { ManualClock } from '../../src/clock.ts';
import { printIdentifier, printNamespace } from '../../src/iceberg/identifier.ts';

const clock = new ManualClock(1_000_000_000_000_000n);

/** What a server of each version could have left behind: statements that fill a file of that version, on top of those before. */
const filledBy: readonly string[] = [
  `
  INSERT INTO pointers VALUES ('raw.flights', '["raw"]', 'flights', 'u1', 'm1');
  INSERT INTO pointers VALUES ('a.b.c.deep', '["a","b","c"]', 'deep', 'u2', 'm2');
  INSERT INTO pointers VALUES ('a.beside', '["a"]', 'beside', 'u3', 'm3');
  INSERT INTO pointers VALUES ('"x.y".é."""".t', '["x.y","é","\\""]', 't', 'u4', 'm4');
  INSERT INTO journal VALUES (1, 'icecore.runs', 'run/1', '{"n":1}', NULL), (2, 'icecore.audit_log', 'chain/audit', '{}', 999999999000);
  INSERT INTO journal_heads VALUES ('run/1', 1), ('chain/audit', 2);
  INSERT INTO chain_heads VALUES ('audit', 1, '${'ab'.repeat(32)}');
  INSERT INTO leases VALUES ('run/1', 'server-1', 7, 1000000060000);
  INSERT INTO answers VALUES ('ann/writeRows', 'k1', 'sha', '{"rows":1}', 1000000060000);
  UPDATE counters SET head_seq = 2, trimmed_through_seq = 0, fence = 7;
  `,
  `
  INSERT INTO namespaces VALUES ('views', '', '["views"]', '{"owner":"ann"}');
  INSERT INTO pointers VALUES ('views.daily', '["views"]', 'daily', 'u5', 'm5', 'view');
  `,
];

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-migrations-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('every version has an example of what it left behind', () => {
  expect(filledBy).toHaveLength(migrations.length);
});

test('no version that was released is edited: files of it are out there', () => {
  const released = migrations.map((migration) => createHash('sha256').update(migration).digest('hex').slice(0, 16));
  expect(released).toEqual(['82650c214b9c5c25', '8982627f77a64d1b']);
});

test.each(migrations.map((_, index) => index + 1))(
  'a file of version %i loses nothing on its way to the newest',
  async (version) => {
    const path = join(directory, 'catalog.db');
    makeFile(path, version);
    const catalog = await openCatalog(`sqlite:${path}`, clock);
    try {
      await expectFirstVersion(catalog);
      if (version >= 2) await expectSecondVersion(catalog);
      // And it goes on from there.
      expect((await catalog.commit({ entries: [{ table: 't', subject: 's', row: '{}' }] })).seqs).toEqual([3n]);
    } finally {
      await catalog.close();
    }
    const again = await openCatalog(`sqlite:${path}`, clock);
    expect(await again.headSeq()).toBe(3n);
    await again.close();
  },
);

test('a file of every version ends with the same schema as a new one', async () => {
  const schemas = new Set<string>();
  for (const version of [0, ...migrations.keys().map((index) => index + 1)]) {
    const path = join(directory, `from-${version}.db`);
    if (version > 0) makeFile(path, version);
    await (await openCatalog(`sqlite:${path}`, clock)).close();
    schemas.add(schemaOf(path));
  }
  expect(schemas.size).toBe(1);
});

/** A file as a server of this version left it, made by the statements of its time alone. */
function makeFile(path: string, version: number): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('CREATE TABLE schema_versions (version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT');
  for (let made = 1; made <= version; made += 1) {
    database.exec(migrations[made - 1] ?? '');
    database.exec(filledBy[made - 1] ?? '');
    database.exec(`INSERT INTO schema_versions VALUES (${made}, 0)`);
  }
  database.close();
}

function schemaOf(path: string): string {
  const database = new DatabaseSync(path);
  const rows = database.prepare("SELECT name, sql FROM sqlite_schema WHERE name <> 'schema_versions' ORDER BY name").all();
  database.close();
  return JSON.stringify(rows);
}

async function expectFirstVersion(catalog: Catalog): Promise<void> {
  const tables = await catalog.list({ limit: 10 });
  expect(tables.map((table) => [printIdentifier(table.identifier), table.uuid, table.metadataLocation])).toEqual([
    ['"x.y".é."""".t', 'u4', 'm4'],
    ['a.b.c.deep', 'u2', 'm2'],
    ['a.beside', 'u3', 'm3'],
    ['raw.flights', 'u1', 'm1'],
  ]);
  for (const table of tables) expect(await catalog.load(table.identifier)).toEqual(table);
  const top = await namesBelow(catalog, []);
  expect(top.filter((name) => name !== 'views')).toEqual(['"x.y"', 'a', 'raw']);
  expect(await namesBelow(catalog, ['a'])).toEqual(['a.b']);
  expect(await namesBelow(catalog, ['a', 'b'])).toEqual(['a.b.c']);
  expect(await namesBelow(catalog, ['a', 'b', 'c'])).toEqual([]);
  expect(await namesBelow(catalog, ['x.y'])).toEqual(['"x.y".é']);
  expect(await catalog.loadNamespace(['x.y', 'é', '"'])).toEqual({ parts: ['x.y', 'é', '"'], properties: {} });
  expect((await catalog.journalAfter(0n, 10)).entries).toEqual([
    { seq: 1n, table: 'icecore.runs', subject: 'run/1', row: '{"n":1}', flushed: false },
    { seq: 2n, table: 'icecore.audit_log', subject: 'chain/audit', row: '{}', flushed: true },
  ]);
  expect(await catalog.subjectSeq('run/1')).toBe(1n);
  expect(await catalog.chainHead('audit')).toEqual({ seq: 1n, hash: 'ab'.repeat(32) });
  expect(await catalog.leaseHolder('run/1')).toEqual({ owner: 'server-1', fence: 7n });
  expect(await catalog.acquireLease('run/2', 'server-2', 1000)).toBe(8n);
  expect(await catalog.answer('ann/writeRows', 'k1')).toEqual({ inputSha256: 'sha', answer: '{"rows":1}' });
}

async function expectSecondVersion(catalog: Catalog): Promise<void> {
  expect(await catalog.loadNamespace(['views'])).toEqual({ parts: ['views'], properties: { owner: 'ann' } });
  expect(await catalog.loadView({ namespace: ['views'], name: 'daily' })).toMatchObject({ uuid: 'u5', metadataLocation: 'm5' });
}

async function namesBelow(catalog: Catalog, parent: readonly string[]): Promise<readonly string[]> {
  return (await catalog.listNamespaces({ parent, limit: 10 })).map(({ parts }) => printNamespace(parts));
}
