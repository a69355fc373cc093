import assert from 'node:assert/strict';
import type { ForeignFeature } from './foreign-feature.ts';

const imports = `
import datetime, decimal, uuid
import pyarrow as pa
from pyiceberg.types import DateType, DoubleType, LongType
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
`;

/** What PyIceberg's own writer makes. */
export const pyicebergFeatures: readonly ForeignFeature[] = [
  {
    feature: 'By PyIceberg: every type of v2, nested too',
    tables: ['foreign.py_types'],
    measure: 'java',
    make: async (lake) => {
      await lake.pyiceberg(`${imports}
point = pa.struct([('x', pa.float64()), ('tags', pa.list_(pa.string()))])
arrow = pa.schema([
    pa.field('id', pa.int64(), nullable=False), ('b', pa.bool_()), ('i', pa.int32()), ('f', pa.float32()), ('d', pa.float64()),
    ('d9', pa.decimal128(9, 2)), ('d38', pa.decimal128(38, 10)), ('da', pa.date32()), ('t', pa.time64('us')), ('naive', pa.timestamp('us')),
    ('zoned', pa.timestamp('us', tz='UTC')), ('s', pa.string()), ('raw', pa.binary()), ('fixed', pa.binary(3)), ('point', point),
    ('l', pa.list_(pa.date32())), ('m', pa.map_(pa.string(), pa.decimal128(20, 3))), ('u', pa.uuid()),
])
day = datetime.date
when = datetime.datetime
rows = [
    dict(id=-2**63, b=True, i=-2**31, f=float('nan'), d=float('-inf'), d9=decimal.Decimal('-9999999.99'), d38=decimal.Decimal('-' + '9' * 28 + '.' + '9' * 10),
         da=day(1, 1, 1), t=datetime.time(23, 59, 59, 999999), naive=when(1, 1, 1), zoned=when(1969, 12, 31, 23, 59, 59, 999999, datetime.timezone.utc),
         s='', raw=b'', fixed=b'\\x00\\xff\\x7f', point=dict(x=-0.0, tags=[]), l=[], m=[], u=uuid.UUID(int=0)),
    dict(id=2**63 - 1, b=False, i=2**31 - 1, f=-0.0, d=5e-324, d9=decimal.Decimal('0.01'), d38=decimal.Decimal('0.0000000001'), da=day(9999, 12, 31),
         t=datetime.time(0), naive=when(9999, 12, 31, 23, 59, 59, 999999), zoned=when(2024, 2, 29, tzinfo=datetime.timezone.utc),
         s='a\\x00\\u00e9\\U0010ffff\\U0001f6eb"', raw=b'\\x00\\xff', fixed=b'abc', point=dict(x=None, tags=['', None]), l=[day(1969, 12, 31), None],
         m=[('', decimal.Decimal('0.001')), ('k', None)], u=uuid.UUID('f79c3e09-677c-4bbd-a479-3f349cb785e7')),
    dict(id=3),
]
t = catalog.create_table('foreign.py_types', arrow)
t.append(pa.Table.from_pylist(rows, schema=arrow))
`);
    },
  },
  {
    feature: 'By PyIceberg: partitions, upserts, overwrites, deletes, evolved columns and partitions, branches',
    tables: ['foreign.py_changed'],
    filters: ['i < 3', "s = 'p2'", "day < '2024-01-10T00:00:00Z'", 'i IS NULL'],
    make: async (lake) => {
      await lake.pyiceberg(`${imports}
arrow = pa.schema([('id', pa.int64()), ('i', pa.int32()), ('s', pa.string()), ('day', pa.timestamp('us', tz='UTC')), ('nest', pa.struct([('a', pa.int32()), ('b', pa.string())]))])
def some(start, end):
    base = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    return pa.Table.from_pylist([dict(id=n, i=None if n % 7 == 0 else n % 5, s=f'p{n % 3}', day=base + datetime.timedelta(hours=n * 9), nest=dict(a=n, b=str(n))) for n in range(start, end)], schema=arrow)
t = catalog.create_table('foreign.py_changed', arrow)
with t.update_spec() as spec:
    spec.add_field('day', DayTransform(), 'day_of').add_field('s', IdentityTransform(), 's')
t.append(some(0, 20))
t.delete('i == 3')
t.overwrite(some(30, 35), 'id < 5')
with t.update_schema() as schema:
    schema.add_column('added', DoubleType()).rename_column('nest.a', 'alpha').update_column('i', LongType()).add_column(('nest', 'c'), DateType())
with t.update_spec() as spec:
    spec.remove_field('day_of').add_field('id', BucketTransform(4), 'id_bucket')
t.append(pa.Table.from_pylist([dict(id=100, i=2**40, s='p2', day=None, nest=dict(alpha=1, b='b', c=datetime.date(1969, 12, 31)), added=0.5)],
    schema=t.schema().as_arrow()))
t.manage_snapshots().create_tag(t.current_snapshot().snapshot_id, 'tagged').commit()
t.manage_snapshots().create_branch(t.current_snapshot().snapshot_id, 'side').commit()
t.append(pa.Table.from_pylist([dict(id=101, s='side')], schema=t.schema().as_arrow()), branch='side')
t.delete('id == 7')
`);
    },
    check: async (lake) => {
      for (const ref of ['tagged', 'side']) {
        const theirs = await lake.sparkRows(`SELECT * FROM foreign.py_changed VERSION AS OF '${ref}'`);
        assert.deepEqual(await lake.ourRows('foreign.py_changed', { asOf: { ref } }), theirs, ref);
      }
    },
  },
];
