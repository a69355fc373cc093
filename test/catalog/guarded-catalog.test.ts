import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Access } from '../../src/access/access.ts';
import type { Caller } from '../../src/access/caller.ts';
import type { Grant } from '../../src/access/grant.ts';
import { mayRead, mayReadNamespace, permissionsOf } from '../../src/access/permissions.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { GuardedCatalog } from '../../src/catalog/guarded-catalog.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../../src/iceberg/identifier.ts';

const dana: Caller = { actor: { id: 'dana', name: null, kind: 'HUMAN' }, roles: new Set(['viewer']), assurance: 'CREDENTIAL' };
const namespaces = [['a'], ['a', 'b'], ['b'], ['icecore'], ['a.b'], ['c', 'a', 'b']];
const names = ['a', 'b', 'c', 'x.y'];
const all: readonly TableIdentifier[] = namespaces.flatMap((namespace) => names.map((name) => ({ namespace, name })));

let directory: string;
let catalog: Catalog;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-guarded-'));
  catalog = await openCatalog(`sqlite:${directory}/catalog.sqlite`, systemClock);
  const made = all.map(
    (identifier, index) => ({ kind: 'create', identifier, uuid: `uuid-${index}`, to: `file:///${index}` }) as const,
  );
  await catalog.commit({
    pointers: made.filter((_, index) => index % 4 !== 3),
    views: made.filter((_, index) => index % 4 === 3),
  });
});
afterAll(async () => {
  await catalog.close();
  await rm(directory, { recursive: true, force: true });
});

const part = fc.constantFrom('a', 'b', 'c', 'icecore', 'a.b', 'x.y');
const grant: fc.Arbitrary<Grant> = fc.record({
  subject: fc.constantFrom('dana', null, 'vera'),
  on: fc.option(fc.array(part, { minLength: 1, maxLength: 4 }), { nil: null }),
  may: fc.constantFrom('read' as const, 'write' as const),
});

/** All pages of a list, so many at a time. */
async function paged<Item>(
  limit: number,
  read: (page: { readonly limit: number; readonly after?: string }) => Promise<readonly Item[]>,
  keyOf: (item: Item) => string,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const after = found.at(-1);
    const page = await read({ limit, ...(after === undefined ? {} : { after }) });
    found.push(...page.map(keyOf));
    // A page is full, or the last.
    if (page.length < limit) return found;
  }
}

test('whoever asks, and however it is paged, sees of the catalog what may be read and all of that', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(grant, { maxLength: 4 }), fc.integer({ min: 1, max: 5 }), async (grants, limit) => {
      const access = Access.by(grants);
      const guarded = new GuardedCatalog(catalog, access, 2);
      const permissions = permissionsOf(grants, dana);
      const keyOf = ({ identifier }: { readonly identifier: TableIdentifier }) => printIdentifier(identifier);
      const readable = (some: readonly { readonly identifier: TableIdentifier }[]) =>
        some.filter(({ identifier }) => mayRead(permissions, identifier)).map(keyOf);
      await access.asCaller(dana, async () => {
        const whole = await catalog.list({ limit: 100 });
        expect(await paged(limit, (page) => guarded.list(page), keyOf)).toEqual(readable(whole));
        for (const namespace of namespaces) {
          const within = await catalog.list({ namespace, limit: 100 });
          expect(await paged(limit, (page) => guarded.list({ ...page, namespace }), keyOf)).toEqual(readable(within));
          const tables = await catalog.listTablesIn({ namespace, limit: 100 });
          expect(await paged(limit, (page) => guarded.listTablesIn({ ...page, namespace }), keyOf)).toEqual(readable(tables));
          const views = await catalog.listViews({ namespace, limit: 100 });
          expect(await paged(limit, (page) => guarded.listViews({ ...page, namespace }), keyOf)).toEqual(readable(views));
        }
        const tops = await catalog.listNamespaces({ parent: [], limit: 100 });
        const shown = tops.filter(({ parts }) => mayReadNamespace(permissions, parts)).map(({ parts }) => printNamespace(parts));
        const partsOf = ({ parts }: { readonly parts: readonly string[] }) => printNamespace(parts);
        expect(await paged(limit, (page) => guarded.listNamespaces({ ...page, parent: [] }), partsOf)).toEqual(shown);
        const many = await guarded.loadMany(all);
        for (const [index, identifier] of all.entries()) {
          const [table, view] = [await catalog.load(identifier), await catalog.loadView(identifier)];
          const isReadable = mayRead(permissions, identifier);
          expect([await guarded.load(identifier), many[index]]).toEqual(isReadable ? [table, table] : [null, null]);
          expect(await guarded.loadView(identifier)).toEqual(isReadable ? view : null);
          const uuid = `uuid-${index}`;
          expect(await guarded.loadByUuid(uuid)).toEqual(isReadable ? await catalog.loadByUuid(uuid) : null);
        }
      });
    }),
    { numRuns: 30 },
  );
});
