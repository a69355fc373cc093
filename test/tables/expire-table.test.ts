import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { pinSnapshot } from '../../src/tables/actions/pin-snapshot.ts';
import { rollback } from '../../src/tables/actions/rollback.ts';
import { removeRef } from '../../src/tables/actions/set-ref.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import { removeOrphanFiles } from '../../src/tables/orphan-files.ts';
import { pinsOf } from '../../src/tables/pin.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { Tables } from '../../src/tables/tables.ts';
import { Warehouse } from './warehouse.ts';

const dayMicros = 86_400_000_000n;
const start = BigInt(Date.now()) * 1000n;
const clock = new ManualClock(start);
let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open(clock);
});
afterAll(() => warehouse.close());

const columns = [{ name: 'day', type: 'int' }] as const;
const at = (day: number, micros = 0n) => ({ timestampMicros: start + BigInt(day) * dayMicros + micros });

async function change(name: string, ...actions: TableAction[]) {
  const transaction = warehouse.tables.transaction();
  for (const action of actions) transaction.change(parseIdentifier(name), action);
  return await transaction.commit();
}

async function filesOf(name: string): Promise<readonly string[]> {
  const { metadata } = await warehouse.load(name);
  const files: string[] = [];
  for await (const file of warehouse.tables.storage.list(metadata.location)) files.push(file.location);
  return files;
}

test('ninety days of appends, compaction, expiry and orphan removal: a pinned day stays what it was', {
  timeout: 120_000,
}, async () => {
  const name = 'features.airport_hourly';
  await warehouse.create(name, { columns });
  for (let day = 1; day <= 90; day++) {
    clock.advance(dayMicros);
    await warehouse.append(name, `SELECT ${day} AS day FROM range(${day})`);
    if (day === 30) await change(name, pinSnapshot('icecore-training-delays-v1', 'current'));
    if (day % 10 === 5) await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
    if (day % 7 === 0) {
      const olderThanMs = Number((clock.nowMicros() - 5n * dayMicros) / 1000n);
      await expireTable(warehouse.tables, { identifier: parseIdentifier(name), olderThanMs });
      await removeOrphanFiles(warehouse.tables, { identifier: parseIdentifier(name), olderThanMs });
    }
  }
  const table = await warehouse.load(name);
  expect(table.metadata.snapshots.length).toBeLessThan(20);
  const sum = 'SELECT count(*)::INT n, max(day)::INT d FROM t';
  expect(await warehouse.rows(name, sum)).toEqual([{ n: 4095, d: 90 }]);
  // The training day, through the pin: the log that covered it is long cut.
  for (const instant of [at(30), at(30, 3600_000_000n), at(31, -1000n)]) {
    expect(await warehouse.rows(name, sum, instant)).toEqual([{ n: 465, d: 30 }]);
  }
  expect(await warehouse.rows(name, sum, at(89))).toEqual([{ n: 4005, d: 89 }]);
  for (const instant of [at(29, dayMicros - 1000n), at(31), at(60)]) {
    expect(() => resolveAsOf(table, instant)).toThrow(/neither the snapshot log \(which begins at .*\) nor a pin covers it/);
  }
  expect(pinsOf(table.metadata).get('icecore-training-delays-v1')).toEqual([
    { fromMs: Number(at(30).timestampMicros / 1000n), toMs: Number(at(31).timestampMicros / 1000n) },
  ]);
  // Nothing is left behind but metadata files that the metadata log, at its hundred entries, has dropped since.
  clock.advance(3n * dayMicros);
  const orphans = await removeOrphanFiles(warehouse.tables, {
    identifier: parseIdentifier(name),
    olderThanMs: Number(clock.nowMicros() / 1000n) - 2 * 86_400_000,
  });
  expect(orphans.files.filter((file) => !file.endsWith('.metadata.json'))).toEqual([]);
});

test('what is held is kept and listed; naming it is refused', async () => {
  const name = 'features.held';
  await warehouse.create(name, { columns });
  clock.advance(dayMicros);
  const pinned = (await warehouse.append(name, 'SELECT 1 AS day')).metadata.currentSnapshotId ?? 0n;
  await change(name, pinSnapshot('icecore-model-churn-3', pinned));
  clock.advance(dayMicros);
  const middle = (await warehouse.append(name, 'SELECT 2 AS day')).metadata.currentSnapshotId ?? 0n;
  clock.advance(dayMicros);
  await warehouse.append(name, 'SELECT 3 AS day');
  const identifier = parseIdentifier(name);
  const olderThanMs = Number(clock.nowMicros() / 1000n);
  const before = await filesOf(name);
  const plan = await expireTable(warehouse.tables, { identifier, olderThanMs, dryRun: true });
  expect(plan.removed).toEqual([middle]);
  expect(await filesOf(name)).toEqual(before);

  await expect(expireTable(warehouse.tables, { identifier, olderThanMs, snapshotIds: [pinned] })).rejects.toMatchObject({
    code: 'PINNED',
  });
  const outcome = await expireTable(warehouse.tables, { identifier, olderThanMs });
  expect(outcome.removed).toEqual([middle]);
  expect(outcome.kept).toContainEqual({ snapshotId: pinned, heldBy: ['icecore-model-churn-3'] });
  expect(await warehouse.rows(name, 'SELECT day FROM t', { snapshotId: pinned })).toEqual([{ day: 1 }]);
  expect(await warehouse.rows(name, 'SELECT day FROM t ORDER BY 1')).toEqual([{ day: 1 }, { day: 2 }, { day: 3 }]);
  expect(() => resolveAsOf(outcome.table, { snapshotId: middle })).toThrow(`no snapshot ${middle}`);

  await expect(change(name, removeRef('icecore-model-churn-3'))).rejects.toMatchObject({ code: 'PINNED' });
  const dropping = warehouse.tables.transaction();
  dropping.drop(identifier);
  await expect(dropping.commit()).rejects.toMatchObject({ code: 'PINNED' });
});

test('a pin remembers each time its snapshot was the current one', async () => {
  const name = 'features.back_and_forth';
  await warehouse.create(name, { columns });
  const first = (await warehouse.append(name, 'SELECT 1 AS day')).metadata.currentSnapshotId ?? 0n;
  const t0 = clock.nowMicros();
  await change(name, pinSnapshot('icecore-pin', first));
  clock.advance(dayMicros);
  await warehouse.append(name, 'SELECT 2 AS day');
  clock.advance(dayMicros);
  await change(name, rollback(first));
  clock.advance(dayMicros);
  await warehouse.append(name, 'SELECT 3 AS day');
  clock.advance(dayMicros);
  await warehouse.append(name, 'SELECT 4 AS day');
  await expireTable(warehouse.tables, { identifier: parseIdentifier(name), olderThanMs: Number(clock.nowMicros() / 1000n) });
  const table = await warehouse.load(name);
  expect(resolveAsOf(table, { timestampMicros: t0 + dayMicros / 2n })?.snapshotId).toBe(first);
  expect(() => resolveAsOf(table, { timestampMicros: t0 + dayMicros + dayMicros / 2n })).toThrow('nor a pin covers it');
  expect(resolveAsOf(table, { timestampMicros: t0 + 2n * dayMicros + dayMicros / 2n })?.snapshotId).toBe(first);
  expect(() => resolveAsOf(table, { timestampMicros: t0 + 3n * dayMicros + dayMicros / 2n })).toThrow('nor a pin covers it');
});

test('files of a writer that crashed are found and removed, those of the table and of its neighbours are not', async () => {
  const name = 'raw.crashed';
  const { metadata } = await warehouse.create(name, { columns });
  await warehouse.append(name, 'SELECT 1 AS day');
  await warehouse.create('raw.inside', { columns, location: `${metadata.location}/inside` });
  await warehouse.append('raw.inside', 'SELECT 1 AS day');
  const left = `${metadata.location}/data/left-behind.parquet`;
  await warehouse.tables.storage.write(left, new Uint8Array(100));
  const identifier = parseIdentifier(name);
  const now = Number(clock.nowMicros() / 1000n);
  await expect(removeOrphanFiles(warehouse.tables, { identifier, olderThanMs: now })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
  clock.advance(5n * dayMicros);
  const olderThanMs = Number(clock.nowMicros() / 1000n) - 2 * 86_400_000;
  const plan = await removeOrphanFiles(warehouse.tables, { identifier, olderThanMs, dryRun: true });
  expect(plan).toMatchObject({ files: [left], fileCount: 1, bytes: 100n, truncated: false });
  await removeOrphanFiles(warehouse.tables, { identifier, olderThanMs });
  expect(await filesOf(name)).not.toContain(left);
  expect(await warehouse.rows(name, 'SELECT day FROM t')).toEqual([{ day: 1 }]);
  expect(await warehouse.rows('raw.inside', 'SELECT day FROM t')).toEqual([{ day: 1 }]);
});

test('expiries at once, as of several servers, each do their part, and nothing is left over or missing', async () => {
  const name = 'raw.expired_at_once';
  const identifier = parseIdentifier(name);
  await warehouse.create(name, { columns, properties: { 'commit.manifest.min-count-to-merge': '3' } });
  const { catalog, storage, duckdb, warehouse: location, stagingDirectory } = warehouse.tables;
  const server = () => new Tables({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
  for (let round = 0; round < 4; round++) {
    for (let day = 0; day < 5; day++) await warehouse.append(name, `SELECT ${day} AS day`);
    await compactTable(warehouse.tables, { identifier });
    for (let day = 0; day < 3; day++) await warehouse.append(name, `SELECT ${day} AS day`);
    await Promise.all([7, 5, 4, 3, 2, 1].map((keepLast) => expireTable(server(), { identifier, olderThanMs: 4e15, keepLast })));
    const table = await warehouse.load(name);
    expect(table.metadata.snapshots).toHaveLength(1);
    const { files, counters } = await held(name);
    const data = (await filesOf(name)).filter((file) => file.includes('/data/'));
    expect(data.toSorted()).toEqual(files.toSorted());
    expect(counters.rowsMatched).toBe(BigInt(8 * (round + 1)));
  }
});

async function held(name: string) {
  const { metadata } = await warehouse.load(name);
  const snapshot = currentSnapshot(metadata) ?? null;
  const { tasks, counters } = await planSnapshot(warehouse.tables.files, metadata, snapshot, { schema: currentSchema(metadata) });
  return { files: tasks.map(({ file }) => file.filePath), counters };
}

test('an append whose table goes on, and expires, between its being read and changed, goes on top of what is there by then', async () => {
  const name = 'raw.overtaken';
  const identifier = parseIdentifier(name);
  await warehouse.create(name, { columns });
  await warehouse.append(name, 'SELECT 1 AS day');
  const table = await warehouse.load(name);
  const { files } = await warehouse.duckdb.trusted.use((connection) =>
    writeDataFiles(warehouse.tables, { connection, metadata: table.metadata, relation: '(SELECT 2 AS day)' }),
  );
  // A server that has read none of the table's manifests yet.
  const { catalog, storage, duckdb, warehouse: location, stagingDirectory } = warehouse.tables;
  const other = new Tables({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
  const inner = appendFiles(files);
  const attempts: number[] = [];
  const transaction = other.transaction();
  transaction.change(table, {
    ...inner,
    async apply(base, context) {
      attempts.push(context.attempt);
      if (context.attempt === 1) {
        await warehouse.append(name, 'SELECT 3 AS day');
        await expireTable(warehouse.tables, { identifier, olderThanMs: 4e15, keepLast: 1 });
      }
      return await inner.apply(base, context);
    },
  });
  await transaction.commit();
  expect(attempts).toEqual([1, 2]);
  expect(await warehouse.rows(name, 'SELECT day FROM t ORDER BY day')).toEqual([{ day: 1 }, { day: 2 }, { day: 3 }]);
});
