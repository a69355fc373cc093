import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ForeignCatalog } from '../../src/catalog/foreign-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { parseIdentifier, printIdentifier, printNamespace } from '../../src/iceberg/identifier.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { type ReferenceCatalog, startReferenceCatalog } from '../environment/reference-catalog.ts';
import { describeWith } from '../environment/tool.ts';
import { PythonSession } from './python-session.ts';
import { RestServer } from './rest-server.ts';

const lock = new URL('../python/pyiceberg.lock', import.meta.url).pathname;

/** Icecore beside PyIceberg over Iceberg's own REST catalog: it reads what is written there, and writes nothing. */
describeWith(['java', 'mvn', 'python3'], 'The reference catalog, read by Icecore', () => {
  let directory: string;
  let reference: ReferenceCatalog;
  let python: PythonSession;
  let catalog: ForeignCatalog;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-reference-'));
    reference = await startReferenceCatalog(directory);
    const prelude = `
import pyarrow
from pyiceberg.catalog import load_catalog
catalog = load_catalog("lake", type="rest", uri="${reference.url}")
def append(name, ids):
    catalog.load_table(name).append(pyarrow.table({"id": pyarrow.array(ids, pyarrow.int64())}))
for namespace in ["raw", "other"]:
    catalog.create_namespace(namespace, {"owner": "ann"})
for name in ["raw.flights", "raw.airports", "other.t"]:
    catalog.create_table(name, pyarrow.schema([("id", pyarrow.int64())]))
append("raw.flights", [1, 2, 3])
`;
    python = await PythonSession.start(pythonEnvironment(lock), prelude, { directory });
    catalog = await ForeignCatalog.open(reference.url, systemClock);
  });
  afterAll(async () => {
    await catalog?.close();
    await python?.stop();
    await reference?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('its namespaces and tables are found, by uuid too', async () => {
    expect((await catalog.listNamespaces({ parent: [], limit: 10 })).map(({ parts }) => printNamespace(parts))).toEqual([
      'other',
      'raw',
    ]);
    expect((await catalog.loadNamespace(['raw']))?.properties).toMatchObject({ owner: 'ann' });
    expect(await catalog.loadNamespace(['none'])).toBeNull();
    const tables = await catalog.list({ limit: 10 });
    expect(tables.map(({ identifier }) => printIdentifier(identifier))).toEqual(['other.t', 'raw.airports', 'raw.flights']);
    expect(await catalog.list({ limit: 1, after: 'other.t' })).toEqual(tables.slice(1, 2));
    expect(await catalog.listTablesIn({ namespace: ['raw'], limit: 10 })).toEqual(tables.slice(1));
    expect(await catalog.listTablesIn({ namespace: ['none'], limit: 10 })).toEqual([]);
    expect(await catalog.load(parseIdentifier('raw.none'))).toBeNull();
    expect(await catalog.listViews({ namespace: ['raw'], limit: 10 })).toEqual([]);
    const fresh = await ForeignCatalog.open(reference.url, systemClock);
    expect(await fresh.loadManyByUuid(tables.map(({ uuid }) => uuid).toReversed())).toEqual(tables.toReversed());
    await fresh.close();
  });

  test('a server over it answers with what another engine commits, and writes nothing', async () => {
    const server = await RestServer.start({ catalog: `rest:${reference.url}`, warehouse: join(directory, 'warehouse') });
    const api = server.api('keeper');
    const sum = async () => {
      const statement = 'SELECT sum(id)::BIGINT AS s FROM raw.flights';
      const answer = await api.ask<{ sql: { rows: unknown } }>(
        'query ($statement: String!) { sql(statement: $statement) { rows } }',
        {
          statement,
        },
      );
      return answer.sql.rows;
    };
    try {
      expect(await sum()).toEqual([{ s: '6' }]);
      await python.value('append("raw.flights", [10])');
      expect(await sum()).toEqual([{ s: '16' }]);
      const { tables } = await api.ask<{ tables: { edges: readonly { node: { name: string } }[] } }>(
        '{ tables(first: 10) { edges { node { name } } } }',
      );
      expect(tables.edges.map(({ node }) => node.name)).toEqual(['other.t', 'raw.airports', 'raw.flights']);
      for (const mutation of [
        'createTable(input: { name: "raw.new", columns: [{ name: "id", type: "long" }] }) { table { name } }',
        'writeRows(input: { table: "raw.flights", rows: { json: [{ id: "1" }] }, mode: APPEND }) { rowsAdded }',
        'dropTable(input: { name: "raw.flights" }) { name }',
      ]) {
        await expect(api.ask(`mutation { ${mutation} }`)).rejects.toThrow(/read-only/);
      }
    } finally {
      await server.stop();
    }
    expect(await python.value('sorted(str(t) for t in catalog.list_tables("raw"))')).toHaveLength(2);
    expect(await python.value('len(catalog.load_table("raw.flights").scan().to_arrow())')).toBe(4);
  });
});
