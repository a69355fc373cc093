import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { Lakehouse } from './lakehouse.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer } from './rest-server.ts';

const lock = new URL('../python/ray.lock', import.meta.url).pathname;

function prelude(uri: string, directory: string): string {
  return `
import logging, ray
from pyiceberg.expressions import GreaterThan
from ray.data import SaveMode
from ray.data.expressions import col
ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir="${directory}", logging_level=logging.ERROR,
    object_store_memory=200 * 1024 * 1024)
ray.data.DataContext.get_current().enable_progress_bars = False
catalog = {"name": "lake", "type": "rest", "uri": "${uri}", "token": "${keyOf('keeper')}"}
def rows(table, **more):
    found = ray.data.read_iceberg(table_identifier=table, catalog_kwargs=dict(catalog), **more).take_all()
    return sorted(found, key=str)
`;
}

describeWith(['python3'], 'Ray over the REST catalog', () => {
  let server: RestServer;
  let lakehouse: Lakehouse;
  let python: PythonSession;
  beforeAll(async () => {
    server = await RestServer.start();
    lakehouse = new Lakehouse(server.api('keeper'));
    const directory = join(server.directory, 'ray');
    await mkdir(directory);
    python = await PythonSession.start(pythonEnvironment(lock), prelude(server.catalogUri, directory), {
      directory,
      environment: { RAY_USAGE_STATS_ENABLED: '0', RAY_DISABLE_IMPORT_WARNING: '1' },
    });
  });
  afterAll(async () => {
    await python?.value('ray.shutdown()').catch(() => undefined);
    await python?.stop();
    await server?.stop();
  });

  test('reads what GraphQL wrote: rows, a filter, some columns, an earlier snapshot', async () => {
    await lakehouse.create({
      name: 'shared.visits',
      columns: [
        { name: 'site', type: 'string' },
        { name: 'visitors', type: 'long' },
      ],
      partitionBy: [{ column: 'site' }],
    });
    const first = await lakehouse.write('shared.visits', [
      { site: 'here', visitors: '1' },
      { site: 'there', visitors: '2' },
    ]);
    await lakehouse.write('shared.visits', [{ site: 'here', visitors: '10' }], { mode: 'UPSERT', keys: ['site'] });
    expect(await python.value('rows("shared.visits")')).toEqual([
      { site: 'here', visitors: 10 },
      { site: 'there', visitors: 2 },
    ]);
    expect(await python.value('rows("shared.visits", row_filter=GreaterThan("visitors", 5), selected_fields=("site",))')).toEqual(
      [{ site: 'here' }],
    );
    expect(await python.value(`rows("shared.visits", snapshot_id=${first})`)).toEqual([
      { site: 'here', visitors: 1 },
      { site: 'there', visitors: 2 },
    ]);
  });

  test('appends, upserts and overwrites; GraphQL shows each', async () => {
    await python.value(`
given = ray.data.from_items([{"site": f"site {n}", "visitors": n} for n in range(100)])
given.write_iceberg("shared.visits", catalog_kwargs=dict(catalog))
`);
    expect(await lakehouse.sql('SELECT count(*) AS n, sum(visitors) AS total FROM shared.visits')).toEqual([
      { n: '102', total: '4962' },
    ]);
    await python.value(`
ray.data.from_items([{"site": "here", "visitors": 11}, {"site": "new", "visitors": 12}]).write_iceberg(
    "shared.visits", catalog_kwargs=dict(catalog), mode=SaveMode.UPSERT, upsert_kwargs={"join_cols": ["site"]})
`);
    expect(await lakehouse.sql("SELECT site, visitors FROM shared.visits WHERE site IN ('here', 'new') ORDER BY site")).toEqual([
      { site: 'here', visitors: '11' },
      { site: 'new', visitors: '12' },
    ]);
    await python.value(`
ray.data.from_items([{"site": "only", "visitors": 1}]).write_iceberg(
    "shared.visits", catalog_kwargs=dict(catalog), mode=SaveMode.OVERWRITE, overwrite_filter=col("visitors") >= 0)
`);
    expect(await lakehouse.rows('shared.visits')).toEqual([{ site: 'only', visitors: '1' }]);
  });

  test('reads where its caller may read and writes where it may write', async () => {
    const as = (subject: 'reader' | 'stranger') => `dict(catalog, token="${keyOf(subject)}")`;
    expect(
      await python.value(`ray.data.read_iceberg(table_identifier="shared.visits", catalog_kwargs=${as('reader')}).take_all()`),
    ).toEqual([{ site: 'only', visitors: 1 }]);
    await python.refusal(`given.write_iceberg("shared.visits", catalog_kwargs=${as('reader')})`);
    await python.refusal(`ray.data.read_iceberg(table_identifier="shared.visits", catalog_kwargs=${as('stranger')}).take_all()`);
    expect(await lakehouse.rows('shared.visits')).toEqual([{ site: 'only', visitors: '1' }]);
  });
});
