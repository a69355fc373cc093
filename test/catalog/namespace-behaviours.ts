import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Catalog, NamespaceChange, PointerChange } from '../../src/catalog/catalog.ts';
import { printNamespace } from '../../src/iceberg/identifier.ts';
import { wholeJournal } from './chain.ts';

const create = (parts: readonly string[], properties: Readonly<Record<string, string>> = {}): NamespaceChange => ({
  kind: 'create',
  namespace: { parts, properties },
});
const drop = (...parts: readonly string[]): NamespaceChange => ({ kind: 'drop', parts });
const createTable = (namespace: readonly string[], name: string, requireNamespace?: boolean): PointerChange => ({
  kind: 'create',
  identifier: { namespace, name },
  uuid: `uuid-${printNamespace(namespace)}-${name}`,
  to: 'm0',
  ...(requireNamespace === undefined ? {} : { requireNamespace }),
});
const dropTable = (namespace: readonly string[], name: string): PointerChange => ({
  kind: 'drop',
  identifier: { namespace, name },
  uuid: `uuid-${printNamespace(namespace)}-${name}`,
  from: 'm0',
});

/** What every catalog does with namespaces. */
export function namespaceBehaviours(connected: () => { readonly catalog: Catalog; readonly other: Catalog }): void {
  describe('namespaces', () => {
    test('are created with properties, once, and seen from another connection', async () => {
      const { catalog, other } = connected();
      const properties = { owner: 'ann', __proto__x: 'é "quoted"', constructor: 'text', '': 'empty' };
      expect(await catalog.loadNamespace(['raw'])).toBeNull();
      await catalog.commit({ namespaces: [create(['raw'], properties)] });
      expect(await other.loadNamespace(['raw'])).toEqual({ parts: ['raw'], properties });
      await expect(other.commit({ namespaces: [create(['raw'])] })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        message: expect.stringContaining('raw'),
        context: { namespace: 'raw', exists: 'namespace' },
      });
      expect(await other.loadNamespace(['raw'])).toEqual({ parts: ['raw'], properties });
    });

    test('of many that create one, one wins', async () => {
      const { catalog, other } = connected();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 === 0 ? catalog : other).commit({ namespaces: [create(['raw'], { by: String(index) })] }),
        ),
      );
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      expect((await catalog.loadNamespace(['raw']))?.properties).toEqual({ by: String(winner) });
    });

    test('come into being with those above them, and with the tables in them', async () => {
      const { catalog } = connected();
      await catalog.commit({ namespaces: [create(['a', 'b', 'c'], { deep: 'yes' })] });
      await catalog.commit({ pointers: [createTable(['x', 'y'], 't')] });
      expect(await catalog.loadNamespace(['a', 'b'])).toEqual({ parts: ['a', 'b'], properties: {} });
      expect(await catalog.loadNamespace(['a', 'b', 'c'])).toEqual({ parts: ['a', 'b', 'c'], properties: { deep: 'yes' } });
      expect(await below(catalog, [])).toEqual(['a', 'x']);
      expect(await below(catalog, ['x'])).toEqual(['x.y']);
      expect(await below(catalog, ['x', 'y'])).toEqual([]);
      expect(await below(catalog, ['none'])).toEqual([]);
    });

    test('that hold a table keep their properties when the next table comes', async () => {
      const { catalog } = connected();
      await catalog.commit({ namespaces: [create(['raw'], { owner: 'ann' })] });
      await catalog.commit({ pointers: [createTable(['raw'], 't')] });
      expect((await catalog.loadNamespace(['raw']))?.properties).toEqual({ owner: 'ann' });
    });

    test('are listed page by page in order of their printed names, one level at a time', async () => {
      const { catalog } = connected();
      const names = ['b', 'a.b', 'a"', 'é', 'a', 'B', 'a-b', '', 'z'];
      await catalog.commit({ namespaces: names.map((name) => create([name])) });
      await catalog.commit({ namespaces: [create(['a', 'inner']), create(['a', 'inner', 'most']), create(['a', 'also'])] });
      const printed = names.map((name) => printNamespace([name]));
      const byBytes = printed.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
      expect(await below(catalog, [], 2)).toEqual(byBytes);
      expect(await below(catalog, ['a'], 1)).toEqual(['a.also', 'a.inner']);
      expect(await below(catalog, ['a.b'])).toEqual([]);
    });

    test('have their properties set and removed', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ namespaces: [create(['raw'], { a: '1', b: '2', c: '3' })] });
      await other.commit({
        namespaces: [{ kind: 'update', parts: ['raw'], set: { b: 'two', d: '4' }, remove: ['a', 'unheard'] }],
      });
      expect((await catalog.loadNamespace(['raw']))?.properties).toEqual({ b: 'two', c: '3', d: '4' });
      await expect(
        catalog.commit({ namespaces: [{ kind: 'update', parts: ['none'], set: {}, remove: [] }] }),
      ).rejects.toMatchObject({ code: 'NOT_FOUND', context: { namespace: 'none', missing: 'namespace' } });
    });

    test('lose no update of their properties to another', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ namespaces: [create(['raw'])] });
      const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
      await Promise.all(
        names.map((name, index) =>
          (index % 2 === 0 ? catalog : other).commit({
            namespaces: [{ kind: 'update', parts: ['raw'], set: { [name]: 'set' }, remove: [] }],
          }),
        ),
      );
      expect(Object.keys((await catalog.loadNamespace(['raw']))?.properties ?? {}).toSorted()).toEqual(names.toSorted());
    });

    test('are dropped where they hold nothing, and not with those above them', async () => {
      const { catalog, other } = connected();
      await catalog.commit({ namespaces: [create(['a', 'b'])], pointers: [createTable(['a', 'b'], 't')] });
      const notEmpty = { code: 'FAILED_PRECONDITION', context: { notEmpty: true } };
      await expect(other.commit({ namespaces: [drop('a')] })).rejects.toMatchObject({
        ...notEmpty,
        message: expect.stringMatching(/a\.b/),
      });
      await expect(other.commit({ namespaces: [drop('a', 'b')] })).rejects.toMatchObject({
        ...notEmpty,
        message: expect.stringMatching(/a\.b\.t/),
      });
      await catalog.commit({ pointers: [dropTable(['a', 'b'], 't')] });
      await other.commit({ namespaces: [drop('a', 'b')] });
      expect(await catalog.loadNamespace(['a', 'b'])).toBeNull();
      expect(await below(catalog, [])).toEqual(['a']);
      await expect(catalog.commit({ namespaces: [drop('a', 'b')] })).rejects.toMatchObject({
        code: 'NOT_FOUND',
        context: { missing: 'namespace' },
      });
    });

    test('are not confused with those whose names begin as theirs do', async () => {
      const { catalog } = connected();
      await catalog.commit({ namespaces: [create(['a']), create(['a.b']), create(['ab'])] });
      await catalog.commit({ pointers: [createTable(['ab'], 't'), createTable(['a.b'], 't')] });
      await catalog.commit({ namespaces: [drop('a')] });
      expect(await below(catalog, [])).toEqual(['"a.b"', 'ab']);
    });

    test('a drop of one and a table that comes into it race: there is never a table without its namespace', async () => {
      const { catalog, other } = connected();
      for (let round = 0; round < 20; round += 1) {
        const namespace = [`race${round}`];
        await catalog.commit({ namespaces: [create(namespace)] });
        const [first, second] = round % 2 === 0 ? [catalog, other] : [other, catalog];
        const [dropped, created] = await Promise.allSettled([
          first.commit({ namespaces: [drop(...namespace)] }),
          second.commit({ pointers: [createTable(namespace, 't', true)] }),
        ]);
        expect([dropped.status, created.status].toSorted()).toEqual(['fulfilled', 'rejected']);
        if (created.status === 'rejected')
          expect(created.reason).toMatchObject({ code: 'NOT_FOUND', context: { missing: 'namespace' } });
        if (dropped.status === 'rejected')
          expect(dropped.reason).toMatchObject({ code: 'FAILED_PRECONDITION', context: { notEmpty: true } });
        expect((await catalog.loadNamespace(namespace)) === null).toBe(dropped.status === 'fulfilled');
      }
    });

    test('a table that requires its namespace is not created without it, nor is anything with it', async () => {
      const { catalog } = connected();
      const change = {
        pointers: [createTable(['here'], 't'), createTable(['none', 'such'], 't', true)],
        entries: [{ table: 'icecore.runs', subject: 'run/1', row: '{}' }],
      };
      await expect(catalog.commit(change)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        context: { namespace: 'none.such', missing: 'namespace' },
      });
      expect(await below(catalog, [])).toEqual([]);
      expect(await wholeJournal(catalog)).toEqual([]);
      await catalog.commit({ namespaces: [create(['none', 'such'])], pointers: change.pointers });
      expect(await below(catalog, [])).toEqual(['here', 'none']);
    });

    test('tables directly in one are listed page by page, not those below it', async () => {
      const { catalog } = connected();
      const pointers = [
        createTable(['a'], 't'),
        createTable(['a'], 's.s'),
        createTable(['a'], 'r'),
        createTable(['a', 'b'], 'q'),
      ];
      await catalog.commit({ pointers });
      const list = async (after?: string) =>
        (await catalog.listTablesIn({ namespace: ['a'], limit: 2, ...(after === undefined ? {} : { after }) })).map(
          ({ identifier }) => identifier.name,
        );
      expect(await list()).toEqual(['s.s', 'r']);
      expect(await list('a.r')).toEqual(['t']);
      expect(await list('a.t')).toEqual([]);
      expect(await catalog.listTablesIn({ namespace: ['a', 'b'], limit: 2 })).toHaveLength(1);
      expect(await catalog.listTablesIn({ namespace: [], limit: 2 })).toEqual([]);
    });

    test('a random history of them ends where a model of it ends', async () => {
      const { catalog, other } = connected();
      const name = fc.constantFrom('a', 'b', 'a.b');
      const parts = fc.array(name, { minLength: 1, maxLength: 3 });
      const step = fc.record({ kind: fc.constantFrom('create', 'drop', 'table', 'required', 'drop-table'), parts });
      let histories = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, together) => {
          histories += 1;
          const root = `h${histories}`;
          const model = new Model();
          const expected: string[] = [];
          const changes = steps.map(({ kind, parts: path }) => {
            const namespace = [root, ...path];
            expected.push(model.take(kind, namespace));
            if (kind === 'create') return { namespaces: [create(namespace)] };
            if (kind === 'drop') return { namespaces: [drop(...namespace)] };
            if (kind === 'drop-table') return { pointers: [dropTable(namespace, 't')] };
            return { pointers: [createTable(namespace, 't', kind === 'required')] };
          });
          const settle = (change: (typeof changes)[number]) =>
            catalog.commit(change).then(
              () => 'done',
              (error: { readonly code: string }) => error.code,
            );
          const outcomes: string[] = [];
          if (together) outcomes.push(...(await Promise.all(changes.map(settle))));
          else for (const change of changes) outcomes.push(await settle(change));
          expect(outcomes).toEqual(expected);
          const found = await everythingBelow(other, [root]);
          expect(found.toSorted()).toEqual(model.namespacesBelow(root));
          const tables = await other.list({ namespace: [root], limit: 100 });
          expect(tables.map(({ identifier }) => printNamespace(identifier.namespace)).toSorted()).toEqual(model.holders());
        }),
        { numRuns: 40 },
      );
    });
  });
}

/** Namespaces and the tables named t in them, kept as simply as can be. */
class Model {
  readonly #namespaces = new Map<string, readonly string[]>();
  readonly #tables = new Set<string>();

  take(kind: string, parts: readonly string[]): string {
    const key = printNamespace(parts);
    switch (kind) {
      case 'create':
        if (this.#namespaces.has(key)) return 'ALREADY_EXISTS';
        this.#ensure(parts);
        return 'done';
      case 'drop': {
        if (!this.#namespaces.has(key)) return 'NOT_FOUND';
        const holds = [...this.#namespaces.values()].some((other) => printNamespace(other.slice(0, -1)) === key);
        if (holds || this.#tables.has(key)) return 'FAILED_PRECONDITION';
        this.#namespaces.delete(key);
        return 'done';
      }
      case 'drop-table':
        return this.#tables.delete(key) ? 'done' : 'CONFLICT';
      default:
        if (kind === 'required' && !this.#namespaces.has(key)) return 'NOT_FOUND';
        if (this.#tables.has(key)) return 'ALREADY_EXISTS';
        this.#ensure(parts);
        this.#tables.add(key);
        return 'done';
    }
  }

  namespacesBelow(root: string): readonly string[] {
    return [...this.#namespaces.keys()].filter((key) => key !== root).toSorted();
  }

  holders(): readonly string[] {
    return [...this.#tables].toSorted();
  }

  #ensure(parts: readonly string[]): void {
    for (let depth = parts.length; depth > 0; depth -= 1) {
      this.#namespaces.set(printNamespace(parts.slice(0, depth)), parts.slice(0, depth));
    }
  }
}

/** The printed names directly below, page by page. */
async function below(catalog: Catalog, parent: readonly string[], limit = 10): Promise<readonly string[]> {
  const printed: string[] = [];
  for (;;) {
    const after = printed.at(-1);
    const page = await catalog.listNamespaces({ parent, limit, ...(after === undefined ? {} : { after }) });
    if (page.length === 0) return printed;
    printed.push(...page.map(({ parts }) => printNamespace(parts)));
  }
}

async function everythingBelow(catalog: Catalog, parent: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { parts } of await catalog.listNamespaces({ parent, limit: 100 })) {
    found.push(printNamespace(parts), ...(await everythingBelow(catalog, parts)));
  }
  return found;
}
