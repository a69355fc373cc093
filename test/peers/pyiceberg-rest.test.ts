import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { Lakehouse } from './lakehouse.ts';
import { makePinnedTable } from './pinned-table.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer } from './rest-server.ts';

const lock = new URL('../python/pyiceberg.lock', import.meta.url).pathname;

/** `catalog` for one who may do everything, `reading` for one who reads what is shared, `outside` for one to whom nothing is granted. */
function prelude(uri: string): string {
  return `
import datetime, decimal, pyarrow
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import EqualTo, GreaterThan, In
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform
from pyiceberg.types import DateType, DecimalType, DoubleType, IntegerType, ListType, LongType, NestedField, StringType, TimestamptzType
from pyiceberg.view.metadata import SQLViewRepresentation, ViewVersion
catalog = load_catalog("lake", type="rest", uri="${uri}", credential="keeper:${keyOf('keeper')}")
reading = load_catalog("lake", type="rest", uri="${uri}", token="${keyOf('reader')}")
outside = load_catalog("lake", type="rest", uri="${uri}", token="${keyOf('stranger')}")
def rows(table):
    found = catalog.load_table(table).scan().to_arrow().to_pylist()
    return sorted(found, key=str)
`;
}

describeWith(['python3'], 'PyIceberg over the REST catalog', () => {
  let server: RestServer;
  let lakehouse: Lakehouse;
  let python: PythonSession;
  beforeAll(async () => {
    server = await RestServer.start();
    lakehouse = new Lakehouse(server.api('keeper'));
    python = await PythonSession.start(pythonEnvironment(lock), prelude(server.catalogUri), { directory: server.directory });
  });
  afterAll(async () => {
    await python?.stop();
    await server?.stop();
  });

  test('makes, describes, lists and drops namespaces, nested ones too', async () => {
    await python.value(`
catalog.create_namespace("shared", {"team": "ice", "gone": "soon"})
catalog.create_namespace(("shared", "a b/c"))
`);
    expect(await python.value('catalog.list_namespaces("shared")')).toEqual([['shared', 'a b/c']]);
    expect(
      await python.value('catalog.update_namespace_properties("shared", removals={"gone"}, updates={"room": "7"}).updated'),
    ).toEqual(['room']);
    expect(await python.value('catalog.load_namespace_properties("shared")')).toMatchObject({ team: 'ice', room: '7' });
    expect(await python.value('catalog.namespace_exists(("shared", "a b/c"))')).toBe(true);
    expect(await python.refusal('catalog.create_namespace("shared")')).toMatch(/^NamespaceAlreadyExistsError/);
    expect(await python.refusal('catalog.drop_namespace("shared")')).toMatch(/^NamespaceNotEmptyError/);
    await python.value('catalog.drop_namespace(("shared", "a b/c"))');
    expect(await python.value('catalog.list_namespaces("shared")')).toEqual([]);
  });

  test('creates, appends, overwrites, deletes and upserts; GraphQL shows each', async () => {
    await python.value(`
schema = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "at", TimestamptzType()),
    NestedField(3, "price", DecimalType(9, 2)),
    NestedField(4, "tags", ListType(5, StringType(), element_required=False)),
    identifier_field_ids=[1],
)
table = catalog.create_table("shared.sales", schema, properties={"owner": "pyiceberg"})
with table.update_spec() as spec:
    spec.add_field("at", DayTransform(), "day")
day = lambda n: datetime.datetime(2026, 1, n, 12, tzinfo=datetime.timezone.utc)
def batch(*given):
    return pyarrow.Table.from_pylist(list(given), schema=table.schema().as_arrow())
table.append(batch(
    {"id": 1, "at": day(1), "price": decimal.Decimal("1.50"), "tags": ["a", None]},
    {"id": 2, "at": day(2), "price": None, "tags": []},
    {"id": 2**53 + 1, "at": day(2), "price": decimal.Decimal("-0.01"), "tags": None},
))
table.overwrite(batch({"id": 20, "at": day(2), "price": None, "tags": None}), overwrite_filter=EqualTo("id", 2))
table.delete(EqualTo("id", 2**53 + 1))
`);
    expect(
      await python.value(
        'table.upsert(batch({"id": 1, "at": day(1), "price": decimal.Decimal("9.99"), "tags": []}, {"id": 3})).rows_updated',
      ),
    ).toBe(1);
    expect(await lakehouse.columns('shared.sales')).toEqual([
      'id long required',
      'at timestamptz',
      'price decimal(9, 2)',
      'tags list<string>',
    ]);
    expect(await lakehouse.partitioning('shared.sales')).toEqual(['day(at)']);
    expect(await lakehouse.properties('shared.sales')).toMatchObject({ owner: 'pyiceberg' });
    expect(await lakehouse.rows('shared.sales')).toEqual([
      { id: '1', at: '2026-01-01T12:00:00Z', price: '9.99', tags: [] },
      { id: '20', at: '2026-01-02T12:00:00Z', price: null, tags: null },
      { id: '3', at: null, price: null, tags: null },
    ]);
  });

  test('evolves a table, and several changes are one commit', async () => {
    await python.value(`
table = catalog.load_table("shared.sales")
before = table.metadata_location
with table.transaction() as transaction:
    with transaction.update_schema() as schema:
        schema.add_column("note", StringType(), doc="new")
        schema.update_column("price", DecimalType(12, 2))
        schema.rename_column("price", "cost")
        schema.delete_column("tags")
    with transaction.update_spec() as spec:
        spec.remove_field("day")
        spec.add_field("id", BucketTransform(8), "ids")
    transaction.set_properties(note="evolved")
    transaction.remove_properties("owner")
    transaction.append(pyarrow.Table.from_pylist([{"id": 4, "note": "hi"}], schema=transaction.table_metadata.schema().as_arrow()))
table.refresh()
`);
    expect(await lakehouse.columns('shared.sales')).toEqual([
      'id long required',
      'at timestamptz',
      'cost decimal(12, 2)',
      'note string',
    ]);
    expect(await lakehouse.partitioning('shared.sales')).toEqual(['bucket[8](id)']);
    expect(await lakehouse.properties('shared.sales')).not.toHaveProperty('owner');
    expect(await lakehouse.sql('SELECT id, cost, note FROM shared.sales WHERE id IN (1, 4) ORDER BY id')).toEqual([
      { id: '1', cost: '9.99', note: null },
      { id: '4', cost: null, note: 'hi' },
    ]);
    expect(await python.value('table.metadata.metadata_log[-1].metadata_file == before')).toBe(true);
  });

  test('a stale commit is a conflict and loses nothing', async () => {
    await lakehouse.create({ name: 'shared.raced', columns: [{ name: 'id', type: 'long' }] });
    await python.value('stale = catalog.load_table("shared.raced")');
    await lakehouse.write('shared.raced', [{ id: '1' }]);
    await python.value('stale.append(pyarrow.table({"id": pyarrow.array([2], pyarrow.int64())}))');
    expect(await lakehouse.rows('shared.raced')).toEqual([{ id: '1' }, { id: '2' }]);
    await python.value(
      'other = catalog.load_table("shared.raced")\nstale.update_schema().add_column("one", LongType()).commit()',
    );
    expect(await python.refusal('other.update_schema().add_column("two", LongType()).commit()')).toMatch(
      /^CommitFailedException/,
    );
  });

  test('reads what GraphQL wrote, at its branches, tags and snapshots, and GraphQL those that it makes', async () => {
    await lakehouse.create({ name: 'shared.versions', columns: [{ name: 'id', type: 'long' }] });
    const first = await lakehouse.write('shared.versions', [{ id: '1' }, { id: '2' }]);
    const second = await lakehouse.write('shared.versions', [{ id: '3' }]);
    await lakehouse.write('shared.versions', [{ id: '2' }], { mode: 'DELETE', keys: ['id'] });
    expect(await python.value('rows("shared.versions")')).toEqual([{ id: 1 }, { id: 3 }]);
    expect(
      await python.value(
        `sorted(catalog.load_table("shared.versions").scan(snapshot_id=${second}).to_arrow()["id"].to_pylist())`,
      ),
    ).toEqual([1, 2, 3]);
    await python.value(`
versions = catalog.load_table("shared.versions")
versions.manage_snapshots().create_tag(${first}, "first", max_ref_age_ms=86400000).create_branch(${second}, "side").commit()
versions.append(pyarrow.table({"id": pyarrow.array([9], pyarrow.int64())}), branch="side")
`);
    expect(await lakehouse.refs('shared.versions')).toMatchObject({ 'TAG first': first });
    expect(await lakehouse.rows('shared.versions', { ref: 'side' })).toEqual([
      { id: '1' },
      { id: '2' },
      { id: '3' },
      { id: '9' },
    ]);
    expect(await python.value('sorted(versions.scan().use_ref("side").to_arrow()["id"].to_pylist())')).toEqual([1, 2, 3, 9]);
    await python.value(`versions.manage_snapshots().remove_branch("side").rollback_to_snapshot(${second}).commit()`);
    expect(await lakehouse.rows('shared.versions')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    await python.value('versions.manage_snapshots().remove_tag("first").commit()');
    expect(Object.keys(await lakehouse.refs('shared.versions'))).toEqual(['BRANCH main']);
  });

  test('takes over files, overwrites the partitions that rows come for, inspects and expires', async () => {
    const partitionBy = [{ column: 'city' }];
    const columns = [
      { name: 'city', type: 'string' },
      { name: 'n', type: 'long' },
    ];
    await lakehouse.create({ name: 'shared.cities', columns, partitionBy });
    await lakehouse.write('shared.cities', [
      { city: 'a/b c%', n: '1' },
      { city: '?x=1&y', n: '2' },
    ]);
    await python.value(`
import os, pyarrow.parquet
cities = lambda *rows: pyarrow.Table.from_pylist(list(rows), schema=pyarrow.schema([("city", pyarrow.string()), ("n", pyarrow.int64())]))
os.makedirs("${server.directory}/warehouse/given")
pyarrow.parquet.write_table(cities({"city": "p", "n": 3}, {"city": "p", "n": 4}), "${server.directory}/warehouse/given/a.parquet")
table = catalog.load_table("shared.cities")
table.add_files(["file://${server.directory}/warehouse/given/a.parquet"])
`);
    expect(await lakehouse.rows('shared.cities')).toEqual([
      { city: '?x=1&y', n: '2' },
      { city: 'a/b c%', n: '1' },
      { city: 'p', n: '3' },
      { city: 'p', n: '4' },
    ]);
    await python.value('table.dynamic_partition_overwrite(cities({"city": "p", "n": 5}, {"city": "a/b c%", "n": 6}))');
    expect(await lakehouse.rows('shared.cities')).toEqual([
      { city: '?x=1&y', n: '2' },
      { city: 'a/b c%', n: '6' },
      { city: 'p', n: '5' },
    ]);
    expect(await python.value('[table.refresh().inspect.partitions().num_rows, table.inspect.files().num_rows]')).toEqual([3, 3]);
    await python.value(`
first = table.metadata.snapshots[0].snapshot_id
table.maintenance.expire_snapshots().by_id(first).commit()
`);
    expect(
      await python.value('[snapshot.snapshot_id == first for snapshot in table.refresh().metadata.snapshots]'),
    ).not.toContain(true);
    expect((await lakehouse.rows('shared.cities')).length).toBe(3);
  });

  test('makes a table in one transaction with its rows, renames, drops and registers it', async () => {
    await python.value(`
with catalog.create_table_transaction("shared.made", Schema(NestedField(1, "n", IntegerType()))) as transaction:
    transaction.append(pyarrow.table({"n": pyarrow.array([1, 2], pyarrow.int32())}))
`);
    expect(await lakehouse.rows('shared.made')).toEqual([{ n: 1 }, { n: 2 }]);
    await python.value('catalog.rename_table("shared.made", "shared.moved")');
    expect(await lakehouse.has('shared.made')).toBe(false);
    expect(await python.value('[catalog.table_exists("shared.made"), catalog.table_exists("shared.moved")]')).toEqual([
      false,
      true,
    ]);
    expect(await python.value('sorted(catalog.list_tables("shared"))')).toContainEqual(['shared', 'moved']);
    await python.value('location = catalog.load_table("shared.moved").metadata_location\ncatalog.drop_table("shared.moved")');
    expect(await python.refusal('catalog.load_table("shared.moved")')).toMatch(/^NoSuchTableError/);
    await python.value('catalog.register_table("shared.again", location)');
    expect(await lakehouse.rows('shared.again')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await python.refusal('catalog.register_table("shared.again", location)')).toMatch(/^TableAlreadyExistsError/);
    await python.value('catalog.purge_table("shared.again")');
    expect(await lakehouse.has('shared.again')).toBe(false);
    expect(await python.refusal('catalog.create_table("nowhere.t", Schema(NestedField(1, "n", IntegerType())))')).toMatch(
      /^NoSuchNamespaceError/,
    );
  });

  test('makes, loads, lists and drops views', async () => {
    await python.value(`
version = ViewVersion(
    version_id=1, schema_id=0, timestamp_ms=1700000000000, summary={"engine-name": "pyiceberg"},
    representations=[SQLViewRepresentation(type="sql", sql="SELECT 1 AS n", dialect="spark")],
    default_namespace=["shared"],
)
catalog.create_view("shared.seen", Schema(NestedField(1, "n", IntegerType())), version, properties={"note": "kept"})
`);
    expect(await python.value('catalog.list_views("shared")')).toEqual([['shared', 'seen']]);
    expect(await python.value('catalog.load_view("shared.seen").metadata.properties')).toMatchObject({ note: 'kept' });
    expect(await python.value('[catalog.view_exists("shared.seen"), catalog.table_exists("shared.seen")]')).toEqual([
      true,
      false,
    ]);
    await python.value('catalog.drop_view("shared.seen")');
    expect(await python.refusal('catalog.load_view("shared.seen")')).toMatch(/^NoSuchViewError/);
  });

  test('cannot expire what a training set holds', async () => {
    const { held, later } = await makePinnedTable(lakehouse);
    await python.refusal(`catalog.load_table("shared.pinned").maintenance.expire_snapshots().by_id(${held}).commit()`);
    expect(
      await python.refusal(
        'catalog.load_table("shared.pinned").manage_snapshots().remove_tag("training-set/pinned/v1").commit()',
      ),
    ).toMatch(/^CommitFailedException.*training-set\/pinned\/v1/s);
    expect((await lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
  });

  test("sees what its caller may read, writes what its caller may write, and nothing of Icecore's own", async () => {
    expect(await python.value('reading.load_table("shared.sales").scan().count()')).toBe(4);
    expect(await python.refusal('reading.load_table("shared.sales").delete(EqualTo("id", 1))')).toMatch(/^ForbiddenError/);
    expect(await python.refusal('reading.create_table("shared.mine", Schema(NestedField(1, "n", IntegerType())))')).toMatch(
      /^ForbiddenError/,
    );
    expect(await python.refusal('outside.load_table("shared.sales")')).toMatch(/^NoSuchTableError/);
    expect(await python.value('outside.table_exists("shared.sales")')).toBe(false);
    expect(await python.value('catalog.load_table("icecore.audit_log").scan().count()')).toBeGreaterThan(0);
    expect(await python.refusal('catalog.drop_table("icecore.audit_log")')).toMatch(/^ForbiddenError/);
    expect(await python.refusal('catalog.load_table("icecore.audit_log").delete()')).toMatch(/^ForbiddenError/);
  });
});
