import { fileURLToPath } from 'node:url';
import { RecordBatchReader } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { decodeRoaring } from '../../../src/iceberg/roaring-bitmap.ts';
import { FileUrls } from '../../../src/storage/file-urls.ts';
import { evolveSchema } from '../../../src/tables/actions/evolve-schema.ts';
import { parseFeedCursor, printFeedCursor } from '../../../src/training/feed/feed-cursor.ts';
import { SkippedRows } from '../../../src/training/groups/skipped-rows.ts';
import { type PlanPage, type TrainingPlan, TrainingPlans } from '../../../src/training/plan/training-plan.ts';
import { type Asked, FeedTables } from '../feed/feed-table.ts';

let world: FeedTables;
let plans: TrainingPlans;
beforeAll(async () => {
  world = await FeedTables.open();
  const none = () => Promise.reject(new Error('There are none here.'));
  const { tables, duckdb } = world.warehouse;
  plans = new TrainingPlans({
    sources: { tables, duckdb, trainingSet: none, trainingSetAt: none },
    groups: world.kept,
    urls: new FileUrls({ address: { url: null, region: null, isPathStyle: false }, keys: none, region: none }),
    clock: systemClock,
  });
});
afterAll(() => world.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'text', type: 'string' },
];
const ids = 'id: 1, text: 2';
const some = (from: number, to: number) => `SELECT i::BIGINT AS id, 'row ' || i AS text FROM range(${from}, ${to}) r(i)`;

async function open(name: string, asked: Asked = {}): Promise<TrainingPlan> {
  return await plans.open({ source: { table: { name } }, ...asked });
}

/** All files, page by page, each page planned by itself. */
async function filesOf(name: string, asked: Asked, size: number): Promise<PlanPage['files']> {
  const files: PlanPage['files'][number][] = [];
  for (let after: string | null = null; ; ) {
    const page: PlanPage = await (await open(name, asked)).files(size, after);
    expect(page.files.length).toBeLessThanOrEqual(size);
    files.push(...page.files);
    after = page.files.at(-1)?.key ?? null;
    if (!page.hasMore) {
      expect(page.total).toBe(BigInt(files.length));
      return files;
    }
  }
}

function positions(bitmap: Uint8Array | null): readonly number[] {
  if (bitmap === null) return [];
  const view = new DataView(bitmap.buffer, bitmap.byteOffset, bitmap.byteLength);
  const found: number[] = [];
  let at = 8;
  for (let part = 0n; part < view.getBigUint64(0, true); part++) {
    const high = view.getUint32(at, true);
    const { values, end } = decodeRoaring(view, at + 4, 2 ** 31);
    for (const low of values) found.push(high * 2 ** 32 + low);
    at = end;
  }
  expect(at).toBe(bitmap.length);
  return found;
}

test('files, row groups and skipped rows, the same by pages of any size', async () => {
  const name = 'raw.planned';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 5000), ids);
  await world.appendGroups(name, some(5000, 5100), ids);
  await world.appendGroups(name, some(5100, 9000), ids);
  const asked = { where: "id < 4500 AND text <> 'row 7' OR id >= 8000", seed: 9n, lanes: 4 };
  const plan = await open(name, asked);
  expect(plan).toMatchObject({ rowsTotal: 5499n, urlsExpireAtMicros: null });
  expect(plan.order).toEqual({ algorithm: 'icecore-order/1', shuffle: 'WINDOWED', seed: 9n, epoch: 0, lanes: 4, blocks: 4n });
  expect(parseFeedCursor(plan.start)).toMatchObject({ position: 0n, seed: 9n, lanes: 4 });
  const reader = RecordBatchReader.from(plan.schema);
  reader.open();
  expect(reader.schema.fields.map((field) => [field.name, field.metadata.get('PARQUET:field_id')])).toEqual([
    ['id', '1'],
    ['text', '2'],
  ]);
  expect(reader.schema.metadata.get('icecore.rows-total')).toBe('5499');
  const files = await filesOf(name, asked, 100);
  // The file of 100 rows holds no match.
  expect(files.map(({ rowGroups }) => rowGroups.map(({ matchingRows }) => matchingRows))).toEqual([
    [2047, 2048, 404],
    [0, 1000],
  ]);
  expect(positions(files[0]?.skippedRows ?? null)).toEqual([7, ...Array.from({ length: 500 }, (_, row) => 4500 + row)]);
  expect(positions(files[1]?.skippedRows ?? null)).toEqual(Array.from({ length: 2900 }, (_, row) => row));
  expect(files.map(({ url }) => fileURLToPath(url))).toEqual(files.map(({ path }) => fileURLToPath(path)));
  expect(await filesOf(name, asked, 1)).toEqual(files);
  // Of a page that follows one of another plan nothing can be said.
  await expect((await open(name, { where: 'id > 5' })).files(1, files[0]?.key ?? '')).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(plan.files(1, 'x')).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('the cursor pins the snapshot, and must be of this epoch', async () => {
  const name = 'raw.moved';
  await world.warehouse.create(name, { columns });
  expect((await (await open(name)).files(10, null)).files).toEqual([]);
  await world.appendGroups(name, some(0, 3000), ids);
  const { start, source } = await open(name, { shuffle: 'FULL' });
  await world.appendGroups(name, some(0, 3000), ids);
  const again = await open(name, { cursor: start });
  expect(again).toMatchObject({ start, source, rowsTotal: 3000n });
  expect((await open(name)).rowsTotal).toBe(6000n);
  await expect(open(name, { cursor: start, where: 'id > 1' })).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('who began at a branch goes on in what the branch was then, also where it moved on; an expired snapshot is told of', async () => {
  const name = 'raw.branched';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 3000), ids);
  const source = { table: { name, asOf: { ref: 'main' } } };
  const begun = await plans.open({ source });
  await world.change(name, evolveSchema([{ kind: 'add', column: { name: 'later', type: 'double' } }]));
  await world.appendGroups(name, some(0, 10), ids);
  const { start } = begun;
  expect(await plans.open({ source, cursor: start })).toMatchObject({ start, source: begun.source, rowsTotal: 3000n });
  expect((await plans.open({ source, cursor: start })).schema).toEqual(begun.schema);
  expect((await plans.open({ source })).rowsTotal).toBe(3010n);
  const tagged = { table: { name, asOf: { snapshotId: (await plans.open({ source })).source.snapshotId } } };
  await expect(plans.open({ source: tagged, cursor: start })).rejects.toMatchObject({ code: 'CONFLICT' });
  const expired = printFeedCursor({ ...parseFeedCursor(start), snapshotId: 77n });
  for (const at of [source, { table: { name } }]) {
    await expect(plans.open({ source: at, cursor: expired })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/snapshot 77, which table raw\.branched does not have.*Begin the epoch anew/),
    });
  }
});

test('who goes on sees the columns that the beginning saw, also one that is younger than the snapshot', async () => {
  const name = 'raw.younger';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 10), ids);
  await world.change(name, evolveSchema([{ kind: 'add', column: { name: 'later', type: 'double' } }]));
  const begun = await open(name);
  const gone = await open(name, { cursor: begun.start, columns: ['later', 'id', 'text'] });
  expect((await open(name, { cursor: begun.start })).schema).toEqual(begun.schema);
  expect((await gone.files(1, null)).files[0]?.constants).toEqual({ later: null });
  const { snapshot } = await world.rows(name);
  const asOf = { snapshotId: snapshot?.snapshotId ?? 0n };
  await expect(plans.open({ source: { table: { name, asOf } }, columns: ['later'] })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
});

test('columns that files lack are constants in the contract’s JSON forms', async () => {
  const name = 'raw.lacking';
  await world.warehouse.create(name, { columns, formatVersion: 3 });
  await world.appendGroups(name, some(0, 10), ids);
  const defaults = [
    { name: 'a_long', type: 'long', initialDefault: 9223372036854775807n },
    { name: 'a_date', type: 'date', initialDefault: '1969-12-30' },
    { name: 'a_uuid', type: 'uuid', initialDefault: 'f79c3e09-677c-4bbd-a479-3f349cb785e7' },
    { name: 'some_bytes', type: 'binary', initialDefault: '00ff' },
    { name: 'nothing', type: 'double' },
  ];
  await world.change(name, evolveSchema(defaults.map((column) => ({ kind: 'add' as const, column }))));
  const [file] = await filesOf(name, {}, 10);
  expect(file?.fieldIds).toEqual([1, 2]);
  expect(file?.constants).toEqual({
    a_long: 9223372036854775807n,
    a_date: '1969-12-30',
    a_uuid: 'f79c3e09-677c-4bbd-a479-3f349cb785e7',
    some_bytes: Uint8Array.of(0, 255),
    nothing: null,
  });
  const [narrow] = await filesOf(name, { columns: ['nothing', 'text'] }, 10);
  expect(narrow).toMatchObject({ fieldIds: [2], constants: { nothing: null } });
});

test('a file that a reader could not open is refused by name, with the cure', async () => {
  const name = 'raw.nameless_plan';
  await world.warehouse.create(name, { columns });
  const { filePath } = await world.appendGroups(name, some(0, 10), '');
  await expect(open(name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringMatching(`^The file ${filePath} has no field ids.*Compact the table`),
  });
});

test('skipped rows are the rows that were given, whatever they are', () => {
  const run = fc.record({
    gap: fc.nat({ max: 200_000 }),
    bits: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    all: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), fc.constantFrom(0, 65_530, 2 ** 32 - 100_000), (runs, start) => {
      const skipped = new SkippedRows();
      const expected: number[] = [];
      let at = start;
      for (const { gap, bits, all } of runs) {
        at += gap;
        const rowCount = 8 * bits.length - (gap % 8);
        if (all) skipped.addAll(at, rowCount);
        else skipped.addUnset(at, rowCount, bits);
        for (let row = 0; row < rowCount; row++) {
          if (all || (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 0) expected.push(at + row);
        }
        at += rowCount;
      }
      expect(positions(skipped.encode())).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('a field within a struct that files lack and that has a default cannot be planned, and is fed', async () => {
  const name = 'raw.inner_default';
  await world.warehouse.create(name, { columns: [{ name: 's', type: 'struct<x: int>' }], formatVersion: 3 });
  await world.appendGroups(name, 'SELECT {x: i::INT} AS s FROM range(10) r(i)', 's: {__duckdb_field_id: 1, x: 2}');
  const column = { name: 's.y', type: 'int', initialDefault: 7 };
  await world.change(name, evolveSchema([{ kind: 'add' as const, column }]));
  await expect(open(name)).rejects.toMatchObject({ message: expect.stringContaining('lacks a nested column') });
  expect((await (await world.groups(name)).decodeTask(0)).uncovered).toBe('A nested column with an initial default');
  expect(await world.cells(name)).toEqual(await world.selected(name));
});
