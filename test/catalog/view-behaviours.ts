import { describe, expect, test } from 'vitest';
import type { Catalog, PointerChange } from '../../src/catalog/catalog.ts';

const identifier = (name: string) => ({ namespace: ['raw'], name });
const create = (name: string, uuid = `uuid-${name}`): PointerChange => ({
  kind: 'create',
  identifier: identifier(name),
  uuid,
  to: 'm0',
});
const swap = (name: string, from: string, to: string): PointerChange => ({
  kind: 'swap',
  identifier: identifier(name),
  uuid: `uuid-${name}`,
  from,
  to,
});
const drop = (name: string, from: string): PointerChange => ({
  kind: 'drop',
  identifier: identifier(name),
  uuid: `uuid-${name}`,
  from,
});

/** What every catalog does with views: as with tables, whose names they share. */
export function viewBehaviours(connected: () => { readonly catalog: Catalog; readonly other: Catalog }): void {
  describe('views', () => {
    test('are found as views and never as tables', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ views: [create('daily')], pointers: [create('flights')] });
      const view = { identifier: identifier('daily'), uuid: 'uuid-daily', metadataLocation: 'm0' };
      expect(await other.loadView(identifier('daily'))).toEqual(view);
      expect(await other.loadView(identifier('flights'))).toBeNull();
      expect(await other.load(identifier('daily'))).toBeNull();
      expect(await other.loadMany([identifier('daily')])).toEqual([null]);
      expect(await other.loadByUuid('uuid-daily')).toBeNull();
      expect((await other.list({ limit: 10 })).map((table) => table.uuid)).toEqual(['uuid-flights']);
      expect((await other.list({ namespace: ['raw'], limit: 10 })).map((table) => table.uuid)).toEqual(['uuid-flights']);
      expect((await other.listTablesIn({ namespace: ['raw'], limit: 10 })).map((table) => table.uuid)).toEqual(['uuid-flights']);
      expect(await other.listViews({ namespace: ['raw'], limit: 10 })).toEqual([view]);
      expect(await other.list({ kind: 'view', limit: 10 })).toEqual([view]);
      expect(await other.list({ kind: 'view', namespace: ['raw'], limit: 10 })).toEqual([view]);
      expect(await other.list({ kind: 'view', after: 'raw.daily', limit: 10 })).toEqual([]);
      expect((await other.loadNamespace(['raw']))?.parts).toEqual(['raw']);
    });

    test('and tables take each other no name; what has it is told', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ views: [create('daily')], pointers: [create('flights')] });
      await expect(other.commit({ pointers: [create('daily', 'u1')] })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        context: { exists: 'view' },
        message: expect.stringContaining('raw.daily'),
      });
      await expect(other.commit({ views: [create('flights', 'u2')] })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        context: { exists: 'table' },
      });
      await expect(other.commit({ views: [create('daily', 'u3')] })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        context: { exists: 'view' },
      });
    });

    test('are swapped and dropped as what they were read as', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ views: [create('daily')], pointers: [create('flights')] });
      await other.commit({ views: [swap('daily', 'm0', 'm1')] });
      for (const change of [swap('daily', 'm0', 'm2'), drop('daily', 'm0')]) {
        await expect(catalog.commit({ views: [change] })).rejects.toMatchObject({
          code: 'CONFLICT',
          retryable: true,
          message: expect.stringMatching(/view raw\.daily was changed/),
        });
      }
      await expect(catalog.commit({ pointers: [drop('daily', 'm1')] })).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(catalog.commit({ views: [swap('flights', 'm0', 'm1')] })).rejects.toMatchObject({ code: 'CONFLICT' });
      await catalog.commit({ views: [drop('daily', 'm1')] });
      expect(await other.loadView(identifier('daily'))).toBeNull();
    });

    test('are renamed, and make way for a table, in one change', async () => {
      const { catalog } = connected();
      await catalog.commit({ views: [create('daily')] });
      await catalog.commit({ views: [create('weekly', 'uuid-daily'), drop('daily', 'm0')] });
      expect((await catalog.loadView(identifier('weekly')))?.uuid).toBe('uuid-daily');
      await catalog.commit({
        views: [{ kind: 'drop', identifier: identifier('weekly'), uuid: 'uuid-daily', from: 'm0' }],
        pointers: [create('weekly')],
      });
      expect((await catalog.load(identifier('weekly')))?.uuid).toBe('uuid-weekly');
    });

    test('keep their namespace from being dropped', async () => {
      const { catalog } = connected();
      await catalog.commit({ views: [create('daily')] });
      const dropping = { namespaces: [{ kind: 'drop', parts: ['raw'] }] } as const;
      await expect(catalog.commit(dropping)).rejects.toMatchObject({
        code: 'FAILED_PRECONDITION',
        context: { notEmpty: true },
      });
      await catalog.commit({ views: [drop('daily', 'm0')] });
      await catalog.commit(dropping);
    });

    test('are created one at a time, and not without a namespace that they require', async () => {
      const { catalog, other } = connected();
      const required: PointerChange = {
        kind: 'create',
        identifier: identifier('v'),
        uuid: 'u',
        to: 'm0',
        requireNamespace: true,
      };
      await expect(catalog.commit({ views: [required] })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        context: { missing: 'namespace' },
      });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? catalog : other).commit(
            index % 3 === 0 ? { views: [create('one', `u${index}`)] } : { pointers: [create('one', `u${index}`)] },
          ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    });

    test('are listed page by page', async () => {
      const { catalog } = connected();
      await catalog.commit({ views: ['c', 'a', 'b'].map((name) => create(name)), pointers: [create('aa')] });
      await catalog.commit({
        views: [{ kind: 'create', identifier: { namespace: ['raw', 'sub'], name: 'x' }, uuid: 'x', to: 'm' }],
      });
      const first = await catalog.listViews({ namespace: ['raw'], limit: 2 });
      expect(first.map((view) => view.identifier.name)).toEqual(['a', 'b']);
      const rest = await catalog.listViews({ namespace: ['raw'], after: 'raw.b', limit: 2 });
      expect(rest.map((view) => view.identifier.name)).toEqual(['c']);
    });
  });
}
