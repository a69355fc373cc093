import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespacePropertiesBytesMax } from '../../../src/limits.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, refusalOf } from './rest-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

const ask = (path: string, request = {}) => askRest(server, path, request);
const create = (namespace: readonly string[], properties = {}) => ask('/v1/namespaces', { body: { namespace, properties } });

describe('namespaces over REST', () => {
  it('are created, loaded, changed and dropped', async () => {
    const created = await create(['sales'], { owner: 'ada' });
    expect(created.status).toBe(200);
    expect(created.body).toEqual({ namespace: ['sales'], properties: { owner: 'ada' } });
    expect(refusalOf(await create(['sales']))).toBe('409 AlreadyExistsException: Namespace already exists: sales');

    const changed = await ask('/v1/namespaces/sales/properties', {
      body: { removals: ['owner', 'never', 'never'], updates: { region: 'north' } },
    });
    expect(changed.body).toEqual({ updated: ['region'], removed: ['owner'], missing: ['never'] });
    expect((await ask('/v1/namespaces/sales')).body).toEqual({
      namespace: ['sales'],
      properties: { region: 'north', location: expect.stringMatching(/^file:\/\/\/.*\/warehouse\/sales$/) },
    });

    const long = { comment: 'x'.repeat(namespacePropertiesBytesMax) };
    for (const refused of [
      await create(['large'], long),
      await ask('/v1/namespaces/sales/properties', { body: { updates: long } }),
    ]) {
      expect(refusalOf(refused)).toContain('400 BadRequestException: The properties of a namespace take');
    }

    const both = await ask('/v1/namespaces/sales/properties', { body: { removals: ['a'], updates: { a: '1' } } });
    expect(refusalOf(both)).toBe(
      '422 UnprocessableEntityException: Invalid namespace update, cannot simultaneously set and remove keys: a',
    );

    expect((await ask('/v1/namespaces/sales', { method: 'HEAD' })).status).toBe(204);
    const dropped = await ask('/v1/namespaces/sales', { method: 'DELETE' });
    expect([dropped.status, dropped.text]).toEqual([204, '']);
    const head = await ask('/v1/namespaces/sales', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([404, '']);
    expect(refusalOf(await ask('/v1/namespaces/sales'))).toBe('404 NoSuchNamespaceException: Namespace does not exist: sales');
    for (const [path, request] of [
      ['/v1/namespaces/sales', { method: 'DELETE' }],
      ['/v1/namespaces/sales/properties', { body: { updates: { a: '1' } } }],
      ['/v1/namespaces?parent=sales', {}],
    ] as const) {
      expect(refusalOf(await ask(path, request))).toContain('404 NoSuchNamespaceException: Namespace does not exist: sales');
    }
  });

  it('lie in each other, and one that holds another is not dropped', async () => {
    await create(['up', 'mid', 'low']);
    const path = encodeURIComponent('up\u001fmid');
    expect((await ask(`/v1/namespaces/${path}`)).body.namespace).toEqual(['up', 'mid']);
    expect((await ask(`/v1/namespaces?parent=${path}`)).body).toEqual({
      namespaces: [['up', 'mid', 'low']],
      'next-page-token': null,
    });
    expect(refusalOf(await ask(`/v1/namespaces/${path}`, { method: 'DELETE' }))).toContain(
      '409 NamespaceNotEmptyException: Namespace up.mid is not empty',
    );
    expect((await ask('/v1/namespaces/up%1Fmid%1Flow', { method: 'DELETE' })).status).toBe(204);
    expect((await ask(`/v1/namespaces/${path}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('have any name that comes back as it went', async () => {
    const part = fc
      .string({
        unit: fc.constantFrom('a', 'Z', '.', '"', "'", ' ', '+', '%', '/', '\\', '?', '#', '&', 'ä', '雪', '🧊'),
        minLength: 1,
        maxLength: 12,
      })
      .filter((text) => text.trim() !== '' && text !== '.' && text !== '..');
    // Those above a namespace stay when it goes: each run has a place of its own.
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 3 }), async (parts) => {
        const namespace = [`named${runs++}`, ...parts];
        const path = encodeURIComponent(namespace.join('\u001f'));
        expect((await create(namespace)).status).toBe(200);
        expect((await ask(`/v1/namespaces/${path}`)).body.namespace).toEqual(namespace);
        // As Java's clients write it.
        expect((await ask(`/v1/namespaces/${path.replaceAll('%20', '+')}`)).body.namespace).toEqual(namespace);
        expect((await ask(`/v1/namespaces/${path}`, { method: 'DELETE' })).status).toBe(204);
      }),
      { numRuns: 40 },
    );
  });

  it('refuse names that nobody could ask for again', async () => {
    for (const namespace of [
      [],
      [''],
      [' '],
      ['..'],
      ['a', '.'],
      ['a\u001fb'],
      ['a\u0000'],
      ['x'.repeat(129)],
      Array(33).fill('a'),
    ]) {
      expect(refusalOf(await create(namespace)), JSON.stringify(namespace)).toContain('400 BadRequestException');
    }
    expect(refusalOf(await ask('/v1/namespaces/%ff'))).toContain('400 BadRequestException');
  });

  it("leave Icecore's own alone", async () => {
    const own = 'ForbiddenException: The namespace icecore';
    expect(refusalOf(await create(['icecore']))).toContain(own);
    expect(refusalOf(await create(['icecore', 'mine']))).toContain(own);
    expect(refusalOf(await ask('/v1/namespaces/icecore', { method: 'DELETE' }))).toContain(own);
    expect(refusalOf(await ask('/v1/namespaces/icecore/properties', { body: { updates: { a: '1' } } }))).toContain(own);
  });

  it('come in pages that joined are the whole list, whatever the page size', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `page${String(index).padStart(2, '0')}`);
    for (const name of names) await create(['paged', name]);
    const whole = (await ask('/v1/namespaces?parent=paged')).body;
    expect(whole).toEqual({ namespaces: names.map((name) => ['paged', name]), 'next-page-token': null });
    // By the specification a size alone asks for no page.
    expect((await ask('/v1/namespaces?parent=paged&pageSize=2')).body).toEqual(whole);
    for (const pageSize of [1, 2, 5, 22, 23, 24, 1000]) {
      const joined: unknown[] = [];
      let token: string | null = '';
      while (token !== null) {
        const { body } = await ask(`/v1/namespaces?parent=paged&pageSize=${pageSize}&pageToken=${encodeURIComponent(token)}`);
        expect(body.namespaces.length).toBeLessThanOrEqual(pageSize);
        expect(body.namespaces.length).toBeGreaterThan(0);
        joined.push(...body.namespaces);
        token = body['next-page-token'];
      }
      expect(joined).toEqual(whole.namespaces);
    }
    const { body } = await ask('/v1/namespaces?parent=paged&pageSize=1&pageToken=');
    for (const query of [
      `pageToken=${body['next-page-token']}`,
      'parent=paged&pageToken=made-up',
      'parent=paged&pageSize=0',
      'parent=paged&pageSize=-1',
      'parent=paged&pageSize=all',
    ]) {
      expect(refusalOf(await ask(`/v1/namespaces?${query}`)), query).toContain('400 BadRequestException');
    }
  });
});
