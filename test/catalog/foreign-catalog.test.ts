import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { ManualClock, systemClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config.ts';
import { parseIdentifier, printIdentifier, printNamespace } from '../../src/iceberg/identifier.ts';
import { Icecore } from '../../src/icecore.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';

const readerKey = 'ic_reader_0123456789abcdef0123456789abcdef';

/** Icecore over the REST catalog of another Icecore. */
describe('a foreign catalog', () => {
  let upstream: TestServer;
  let catalog: Catalog;

  beforeAll(async () => {
    upstream = await startTestServer();
    for (const table of ['raw.flights', 'raw.airports', 'raw.deep.delays', '"a.b".t', 'zoo.é']) {
      const { errors } = await upstream.ask(
        'mutation($name: String!) { createTable(input: { name: $name, columns: [{ name: "id", type: "long" }] }) { table { name } } }',
        { name: table },
      );
      expect(errors).toBeUndefined();
    }
    await upstream.icecore.catalog.commit({
      namespaces: [{ kind: 'update', parts: ['raw'], set: { owner: 'ann' }, remove: [] }],
    });
    catalog = await openCatalog(`rest:${upstream.origin}/iceberg?warehouse=main`, systemClock);
  });
  afterAll(async () => {
    await catalog.close();
    await upstream.close();
  });

  test('finds tables by name and by uuid as the catalog itself does', async () => {
    const own = upstream.icecore.catalog;
    for (const name of ['raw.flights', 'raw.deep.delays', '"a.b".t', 'zoo.é', 'raw.none', 'none.flights']) {
      expect(await catalog.load(parseIdentifier(name))).toEqual(await own.load(parseIdentifier(name)));
    }
    const flights = await own.load(parseIdentifier('raw.flights'));
    const delays = await own.load(parseIdentifier('raw.deep.delays'));
    const fresh = await openCatalog(`rest:${upstream.origin}/iceberg`, systemClock);
    const uuids = [flights?.uuid ?? '', 'none', delays?.uuid ?? ''];
    expect(await fresh.loadManyByUuid(uuids)).toEqual([flights, null, delays]);
    expect(await fresh.loadByUuid(uuids[2] ?? '')).toEqual(delays);
    await fresh.close();
  });

  test('lists tables, namespaces and views as the catalog itself does', async () => {
    const own = upstream.icecore.catalog;
    for (const namespace of [undefined, ['raw'], ['raw', 'deep'], ['a.b'], ['none']]) {
      for (const after of [undefined, 'raw.airports']) {
        const options = {
          limit: 3,
          ...(namespace === undefined ? {} : { namespace }),
          ...(after === undefined ? {} : { after }),
        };
        expect((await catalog.list(options)).map(printed)).toEqual((await own.list(options)).map(printed));
      }
    }
    const within = { namespace: ['raw'], limit: 10 };
    expect(await catalog.listTablesIn(within)).toEqual(await own.listTablesIn(within));
    expect(await catalog.listViews(within)).toEqual([]);
    expect(await catalog.loadView(parseIdentifier('raw.none'))).toBeNull();
    for (const parent of [[], ['raw'], ['none']]) {
      for (const options of [
        { parent, limit: 2 },
        { parent, limit: 10, after: 'icecore' },
      ]) {
        const names = async (from: Catalog) => (await from.listNamespaces(options)).map(({ parts }) => printNamespace(parts));
        expect(await names(catalog)).toEqual(await names(own));
      }
    }
    expect(await catalog.loadNamespace(['raw'])).toMatchObject({ parts: ['raw'], properties: { owner: 'ann' } });
    expect(await catalog.loadNamespace(['none'])).toBeNull();
  });

  test('takes no change, and says why', async () => {
    await expect(catalog.commit({ namespaces: [{ kind: 'drop', parts: ['zoo'] }] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/read-only/),
    });
    expect(await catalog.acquireLease('run/1', 'me', 1000)).toBeNull();
    expect(await upstream.icecore.catalog.loadNamespace(['zoo'])).not.toBeNull();
  });

  test('a whole server over it reads, and refuses to write', async () => {
    await upstream.ask(
      'mutation { writeRows(input: { table: "raw.flights", rows: { json: [{ id: "7" }] }, mode: APPEND }) { rowsAdded } }',
    );
    const config = parseConfig([], {
      ICECORE_CATALOG: `rest:${upstream.origin}/iceberg`,
      ICECORE_WAREHOUSE: upstream.icecore.tables.warehouse,
      ICECORE_CACHE_DIR: `${upstream.directory}/downstream`,
    });
    const icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 });
    try {
      const table = await icecore.tables.load(parseIdentifier('raw.flights'));
      expect(table.metadata.snapshots).toHaveLength(1);
      const transaction = icecore.tables.transaction();
      transaction.drop(table);
      await expect(transaction.commit()).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    } finally {
      await icecore.close();
    }
    expect(await upstream.icecore.tables.find(parseIdentifier('raw.flights'))).not.toBeNull();
  });
});

describe('a foreign catalog that asks who it is', () => {
  let upstream: TestServer;
  beforeAll(async () => {
    upstream = await startTestServer({
      keys: JSON.stringify([{ subject: 'reader', kind: 'SERVICE', key: readerKey, roles: ['viewer'] }]),
    });
  });
  afterAll(() => upstream.close());

  const address = (identity: string) => `rest:${upstream.origin.replace('//', `//${identity}`)}/iceberg`;

  test.each([
    ['a token', `:${readerKey}@`],
    ['client credentials', `reader:${readerKey}@`],
  ])('takes %s', async (_what, identity) => {
    const clock = new ManualClock(BigInt(Date.now()) * 1000n);
    const catalog = await openCatalog(address(identity), clock);
    expect((await catalog.listNamespaces({ parent: [], limit: 10 })).map(({ parts }) => parts[0])).toEqual(['icecore']);
    // Long after the first token has ended.
    clock.advance(3_600_000_000n * 2n);
    expect(await catalog.loadNamespace(['icecore'])).not.toBeNull();
    await catalog.close();
  });

  test.each([
    ['nothing', ''],
    ['a wrong token', ':wrong-secret@'],
    ['a wrong client', 'reader:wrong-secret@'],
  ])('refuses %s without a word of it', async (_what, identity) => {
    const error = await openCatalog(address(identity), systemClock).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringMatching(/credential/) });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('wrong-secret');
  });
});

test.each(['rest:', 'rest:ftp://host', 'rest:https://host?token=secret', 'rest:https://secret@host', 'rest:https://host#secret'])(
  '%s is no address of a catalog',
  async (uri) => {
    const error = await openCatalog(uri, systemClock).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(`${error}`).not.toContain('secret@');
  },
);

function printed(table: { readonly identifier: Parameters<typeof printIdentifier>[0] }): string {
  return printIdentifier(table.identifier);
}
