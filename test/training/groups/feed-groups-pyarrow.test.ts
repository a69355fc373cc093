import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { output } from '../../environment/command.ts';
import { pythonEnvironment } from '../../environment/python.ts';
import { describeWith } from '../../environment/tool.ts';
import { FeedTables } from '../feed/feed-table.ts';

/** Groups of 1,000 rows; ids on what the table has, a column more that it does not know, and texts as PyArrow likes them. */
const write = `
import sys
import pyarrow as pa
import pyarrow.parquet as pq
path, version, codec = sys.argv[1:]
field = lambda name, kind, number: pa.field(name, kind, metadata={} if number is None else {"PARQUET:field_id": str(number)})
numbers = list(range(4500))
schema = pa.schema([
    field("old name", pa.string(), 2),
    field("unknown", pa.float16() if version == "2.6" else pa.float32(), None),
    field("id", pa.int32(), 1),
    field("tags", pa.list_(field("element", pa.string(), 5)), 3),
])
import numpy as np
table = pa.table([
    [None if n % 11 == 0 else f"row {n % 50}" for n in numbers],
    np.arange(4500).astype("float16") if version == "2.6" else np.arange(4500).astype("float32"),
    numbers,
    [[str(n), None][: n % 3] for n in numbers],
], schema=schema)
pq.write_table(table, path, row_group_size=1000, version=version, compression=codec, data_page_version=version.replace("2.6", "2.0"))
`;

describeWith(['python3'], 'files that PyArrow wrote', () => {
  let world: FeedTables;
  beforeAll(async () => {
    world = await FeedTables.open();
  });
  afterAll(() => world.close());

  it.each([
    ['1.0', 'snappy'],
    ['2.6', 'zstd'],
    ['2.6', 'lz4'],
  ])('have groups of their own size, found by id: version %s, %s', async (version, codec) => {
    const local = join(world.warehouse.directory, `${codec}.parquet`);
    const python = pythonEnvironment(join(import.meta.dirname, '../../python/icecore.lock'));
    output(python, ['-c', write, local, version, codec]);
    const name = `raw.pyarrow_${codec}`;
    const columns = [
      { name: 'id', type: 'long' },
      { name: 'text', type: 'string' },
      { name: 'tags', type: 'list<string>' },
      { name: 'more', type: 'double' },
    ];
    await world.warehouse.create(name, { columns });
    await world.appendFile(name, local, { recordCount: 4500n });
    const groups = await world.groups(name);
    expect([...groups.matchingRows]).toEqual([1000, 1000, 1000, 1000, 500]);
    expect((await groups.decodeTask(4)).uncovered).toBeNull();
    for (const where of [undefined, "text = 'row 7'", 'id >= 1500 AND id < 3000 AND text IS NOT NULL']) {
      const asked = where === undefined ? {} : { where };
      const cells = await world.cells(name, asked);
      expect(cells).toEqual(await world.selected(name, asked));
      expect(cells[0]?.length).toBeGreaterThan(50);
    }
    expect([...(await world.groups(name, { where: 'id >= 1500 AND id < 3000' })).matchingRows]).toEqual([0, 500, 1000, 0, 0]);
  });
});
