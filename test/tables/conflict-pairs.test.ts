import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { expireSnapshots } from '../../src/tables/actions/expire-snapshots.ts';
import { rewriteManifests } from '../../src/tables/actions/rewrite-manifests.ts';
import { rollback } from '../../src/tables/actions/rollback.ts';
import { setPartitioning } from '../../src/tables/actions/set-partitioning.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import type { Table } from '../../src/tables/table.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let made = 0;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'value', type: 'int' },
];
type Row = readonly [id: number, value: number];
/** Three files: ids from 0, from 10 and from 100, ten in each. */
const start: readonly Row[] = [0, 10, 100].flatMap((from) => Array.from({ length: 10 }, (_, index): Row => [from + index, 0]));

interface Kind {
  readonly formatVersion: 2 | 3;
  readonly mode: 'copy-on-write' | 'merge-on-read';
  readonly level: 'serializable' | 'snapshot';
}

async function newTable({ formatVersion, mode, level }: Kind): Promise<string> {
  const name = `raw.pair_${made++}`;
  const properties = Object.fromEntries([
    ...['delete', 'merge'].flatMap((operation) => [
      [`write.${operation}.mode`, mode],
      [`write.${operation}.isolation-level`, level],
    ]),
  ]);
  await warehouse.create(name, { columns, formatVersion, properties });
  for (const from of [0, 10, 100]) await append(name, from, 0);
  return name;
}

async function append(name: string, from: number, value: number): Promise<void> {
  await warehouse.append(name, `SELECT ${from} + i AS id, ${value}::INT AS value FROM range(10) r(i)`);
}

async function act(name: string, action: TableAction): Promise<void> {
  const transaction = warehouse.tables.transaction();
  transaction.change(await warehouse.load(name), action);
  await transaction.commit();
}

async function byKey(
  name: string,
  mode: 'UPSERT' | 'DELETE',
  ids: readonly number[],
  meanwhile?: () => Promise<unknown>,
): Promise<number> {
  let computed = 0;
  await writeRows(warehouse.tables, {
    identifier: parseIdentifier(name),
    rows: { json: ids.map((id) => (mode === 'DELETE' ? { id } : { id, value: 7 })) },
    mode,
    keys: ['id'],
    record: async () => {
      if (computed++ === 0) await meanwhile?.();
    },
  });
  return computed;
}

async function compact(name: string, where: string, meanwhile?: () => Promise<unknown>): Promise<number> {
  let computed = 0;
  await compactTable(warehouse.tables, {
    identifier: parseIdentifier(name),
    where,
    record: async () => {
      if (computed++ === 0) await meanwhile?.();
    },
  });
  return computed;
}

interface Meanwhile {
  readonly run: (name: string) => Promise<unknown>;
  /** What it does to the rows. */
  readonly model: (rows: readonly Row[]) => readonly Row[];
}

const same = (rows: readonly Row[]) => rows;
const added = (from: number) => (rows: readonly Row[]) => [
  ...rows,
  ...Array.from({ length: 10 }, (_, index): Row => [from + index, 5]),
];
const deleted = (ids: readonly number[]) => (rows: readonly Row[]) => rows.filter(([id]) => !ids.includes(id));
const upserted = (ids: readonly number[]) => (rows: readonly Row[]) => [...deleted(ids)(rows), ...ids.map((id): Row => [id, 7])];

const others = {
  'append of other keys': { run: (name) => append(name, 200, 5), model: added(200) },
  'append with the key': { run: (name) => append(name, 1, 5), model: added(1) },
  'delete in the same file': { run: (name) => byKey(name, 'DELETE', [5]), model: deleted([5]) },
  'delete in another file': { run: (name) => byKey(name, 'DELETE', [105]), model: deleted([105]) },
  'delete of the key': { run: (name) => byKey(name, 'DELETE', [3]), model: deleted([3]) },
  'upsert of the key': { run: (name) => byKey(name, 'UPSERT', [3]), model: upserted([3]) },
  'upsert in another file': { run: (name) => byKey(name, 'UPSERT', [105]), model: upserted([105]) },
  'upsert of a new key': { run: (name) => byKey(name, 'UPSERT', [300]), model: upserted([300]) },
  'compaction of the file': { run: (name) => compact(name, 'id < 50'), model: same },
  'rewriting of manifests': { run: (name) => act(name, rewriteManifests()), model: same },
  'a property': { run: (name) => act(name, setProperties({ a: 'b' })), model: same },
  'another partitioning': { run: (name) => act(name, setPartitioning([{ column: 'id', transform: 'bucket[2]' }])), model: same },
  'a new column': {
    run: (name) => act(name, evolveSchema([{ kind: 'add', column: { name: 'more', type: 'int' } }])),
    model: same,
  },
  'an append, and expiry of what was read': {
    run: async (name) => {
      await append(name, 200, 5);
      await append(name, 220, 5);
      await act(
        name,
        expireSnapshots({ olderThanMs: Number.MAX_SAFE_INTEGER }, () => undefined),
      );
    },
    model: (rows) => added(220)(added(200)(rows)),
  },
  'a way back to before the last file': {
    run: async (name) => {
      const { metadata } = await warehouse.load(name);
      await act(name, rollback(metadata.snapshots.at(-2)?.snapshotId ?? 0n));
    },
    model: (rows) => rows.filter(([id]) => id < 100),
  },
} as const satisfies Readonly<Record<string, Meanwhile>>;
type Other = keyof typeof others;

const cow: Kind = { formatVersion: 2, mode: 'copy-on-write', level: 'serializable' };
const marks: Kind = { formatVersion: 2, mode: 'merge-on-read', level: 'serializable' };
const vectors: Kind = { formatVersion: 3, mode: 'merge-on-read', level: 'serializable' };
const loosely = (kind: Kind): Kind => ({ ...kind, level: 'snapshot' });

/** By what is done, by key 3, which lies in the first file; what is computed again for what came meanwhile, and what is not. */
const pairs: readonly (readonly [Kind, 'UPSERT' | 'DELETE', again: readonly Other[], not: readonly Other[]])[] = [
  [
    cow,
    'UPSERT',
    [
      'append with the key',
      'delete in the same file',
      'upsert of the key',
      'compaction of the file',
      'a new column',
      'an append, and expiry of what was read',
      'a way back to before the last file',
    ],
    [
      'append of other keys',
      'delete in another file',
      'upsert in another file',
      'upsert of a new key',
      'rewriting of manifests',
      'a property',
      'another partitioning',
    ],
  ],
  [
    cow,
    'DELETE',
    ['append with the key', 'delete of the key', 'compaction of the file'],
    ['append of other keys', 'delete in another file', 'upsert of a new key'],
  ],
  [loosely(cow), 'UPSERT', ['delete in the same file', 'upsert of the key'], ['append with the key', 'append of other keys']],
  [
    marks,
    'UPSERT',
    ['append with the key', 'delete in the same file', 'delete of the key', 'compaction of the file'],
    ['append of other keys', 'delete in another file', 'upsert in another file', 'upsert of a new key'],
  ],
  [
    marks,
    'DELETE',
    ['append with the key', 'upsert of the key', 'compaction of the file'],
    ['append of other keys', 'delete in the same file', 'delete of the key', 'upsert in another file'],
  ],
  [loosely(marks), 'DELETE', ['compaction of the file'], ['append with the key', 'upsert of the key']],
  [loosely(marks), 'UPSERT', ['upsert of the key'], ['append with the key']],
  [
    vectors,
    'UPSERT',
    [
      'append with the key',
      'delete in the same file',
      'upsert of the key',
      'compaction of the file',
      'a way back to before the last file',
    ],
    ['append of other keys', 'delete in another file', 'upsert in another file', 'rewriting of manifests'],
  ],
  [
    loosely(vectors),
    'DELETE',
    ['delete in the same file', 'compaction of the file'],
    ['append with the key', 'delete in another file'],
  ],
];

const cases = pairs.flatMap(([kind, mine, again, not]) =>
  [...again.map((other) => [other, true] as const), ...not.map((other) => [other, false] as const)].map(([other, isAgain]) => ({
    title: `${mine}, ${kind.mode} in version ${kind.formatVersion}, ${kind.level}: ${other}${isAgain ? ' is a conflict' : ' is none'}`,
    kind,
    mine,
    other,
    isAgain,
  })),
);

async function rowsOf(name: string): Promise<readonly string[]> {
  const rows = await warehouse.rows(name, 'SELECT id::INT AS id, value FROM t ORDER BY ALL');
  return rows.map((row) => JSON.stringify(row));
}

function sorted(rows: readonly Row[]): readonly string[] {
  return rows.toSorted(([a, x], [b, y]) => a - b || x - y).map(([id, value]) => JSON.stringify({ id, value }));
}

describe('a change by key, and what is committed while it is computed', () => {
  test.for(cases)('$title', async ({ kind, mine, other, isAgain }) => {
    const name = await newTable(kind);
    const { run, model }: Meanwhile = others[other];
    expect(await byKey(name, mine, [3], () => run(name))).toBe(isAgain ? 2 : 1);
    // Under snapshot isolation rows that came meanwhile are not seen: so here, it is no order of the two.
    if (kind.level === 'snapshot' && !isAgain) return;
    expect(await rowsOf(name)).toEqual(sorted((mine === 'UPSERT' ? upserted : deleted)([3])(model(start))));
  });
});

const compactions: readonly (readonly [Kind, again: readonly Other[], not: readonly Other[]])[] = [
  [
    cow,
    ['delete in the same file', 'compaction of the file'],
    ['append with the key', 'upsert of a new key', 'delete in another file', 'a property'],
  ],
  [marks, ['delete in the same file'], ['append with the key', 'upsert in another file']],
  [vectors, ['upsert of the key'], ['delete in another file', 'an append, and expiry of what was read']],
];

describe('a compaction of the first two files, and what is committed while it is computed', () => {
  const all = compactions.flatMap(([kind, again, not]) => [
    ...again.map((other) => ({ kind, other, isAgain: true })),
    ...not.map((other) => ({ kind, other, isAgain: false })),
  ]);
  test.for(all)('$kind.mode in version $kind.formatVersion: $other, conflict: $isAgain', async ({ kind, other, isAgain }) => {
    const name = await newTable(kind);
    const { run, model }: Meanwhile = others[other];
    const computed = await compact(name, 'id < 50', () => run(name));
    // Where the other compacted them there is nothing left to do.
    const isDone = other === 'compaction of the file' || other === 'an append, and expiry of what was read';
    if (!isDone) expect(computed).toBe(isAgain ? 2 : 1);
    expect(await rowsOf(name)).toEqual(sorted(model(start)));
  });
});

describe('what was read expires, with its files, before it is read', () => {
  test.for(['UPSERT', 'DELETE', 'COMPACT'] as const)('%s is computed again', async (mine) => {
    const name = await newTable(cow);
    const identifier = parseIdentifier(name);
    const { tables } = warehouse;
    const stale = await tables.load(identifier);
    await compact(name, 'id < 50');
    await expireTable(tables, { identifier, olderThanMs: Number.MAX_SAFE_INTEGER });
    // A reader that has loaded the table before all that, as another process may have.
    let loads = 0;
    const { catalog, storage, duckdb, clock, warehouse: location, stagingDirectory } = tables;
    class Late extends Tables {
      override async load(of: typeof identifier): Promise<Table> {
        return loads++ === 0 ? stale : await super.load(of);
      }
    }
    const late = new Late({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
    if (mine === 'COMPACT') await compactTable(late, { identifier });
    else
      await writeRows(late, {
        identifier,
        rows: { json: [mine === 'DELETE' ? { id: 3 } : { id: 3, value: 7 }] },
        mode: mine,
        keys: ['id'],
      });
    expect(loads).toBeGreaterThan(1);
    const model = { UPSERT: upserted([3]), DELETE: deleted([3]), COMPACT: same }[mine];
    expect(await rowsOf(name)).toEqual(sorted(model(start)));
  });
});
