import { glob } from 'node:fs/promises';
import { ParquetReader as Reader } from 'parquetjs-lite';
import { test } from 'vitest';
import { Warehouse } from './warehouse.ts';
test('x', async () => {
  const w = await Warehouse.open();
  await w.create('raw.snappy', { columns: [
  { name: 'id', type: 'long', required: true },{ name: 'small', type: 'int' },
  { name: 'code', type: 'string' },
  { name: 'share', type: 'double' }, { name: 'ratio', type: 'float' },
  { name: 'is_late', type: 'boolean' },{ name: 'bytes', type: 'binary' },{ name: 'd', type: 'date' },{ name: 't', type: 'timestamp' },{ name: 'z', type: 'timestamptz' },{name:'l',type:'list<int>'}
  ], properties: { 'write.parquet.compression-codec': 'snappy' } });
  await w.append('raw.snappy', `select i*100::bigint id, i::int small, case when i%3=0 then null else 'a'||(i%4) end code, i/7 share, (i/8)::float ratio, i%2=0 is_late, unhex(printf('%08x', i)) bytes, date '2001-01-01'+i::int d, timestamp '1969-01-01 00:00:00.123456' t, timestamptz '2001-01-01 00:00:00.123456+00' z, [1,2] l from range(10) r(i)`);
  for await (const f of glob(`${w.directory}/warehouse/**/*.parquet`)) {
    const r = await Reader.openFile(f); const c = r.getCursor();
    console.dir(r.metadata.row_groups[0].columns[2], {depth: 9});
    for (let row = await c.next(); row; row = await c.next()) console.dir(row, {depth: 9});
  }
  await w.close();
});
