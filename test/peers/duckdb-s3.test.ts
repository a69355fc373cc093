import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { Lakehouse } from './lakehouse.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer } from './rest-server.ts';

const lock = new URL('../python/duckdb.lock', import.meta.url).pathname;

function prelude(uri: string): string {
  return `
import importlib.util, pathlib, duckdb
connection = duckdb.connect()
for name in ["avro", "httpfs", "iceberg"]:
    package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0])
    [extension] = package.rglob("*.duckdb_extension")
    connection.execute(f"LOAD '{extension}'")
connection.execute("CREATE SECRET (TYPE iceberg, TOKEN '${keyOf('keeper')}')")
connection.execute("ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '${uri}')")
def sql(text):
    return [list(row) for row in connection.execute(text).fetchall()]
`;
}

describeWith(['python3'], 'DuckDB on S3, without keys of its own', () => {
  let store: ObjectStore;
  let server: RestServer;
  let python: PythonSession;
  const sql = async (statement: string) => await python.value(`sql(${JSON.stringify(statement)})`);

  beforeAll(async () => {
    store = await startObjectStore();
    const prefix = `s3://${store.bucket}/scoped`;
    const credential = { prefix, accessKeyId: 'scoped-writer', secretAccessKey: 'secret-of-scoped-writer' };
    const endpoint = { endpoint: store.environment.AWS_ENDPOINT_URL_S3, region: 'us-east-1' };
    server = await RestServer.start({
      warehouse: `${prefix}/warehouse`,
      environment: { ...store.environment, ICECORE_STORAGE_CREDENTIALS: JSON.stringify([{ ...credential, ...endpoint }]) },
    });
    python = await PythonSession.start(pythonEnvironment(lock), prelude(server.catalogUri), { directory: server.directory });
  });

  afterAll(async () => {
    await python?.stop();
    await server?.stop();
    await store?.stop();
  });

  test('writes and reads a table by the storage credentials that come with it; GraphQL shows it', async () => {
    const lakehouse = new Lakehouse(server.api('keeper'));
    await sql('CREATE SCHEMA lake.shared');
    await sql('CREATE TABLE lake.shared.trips (id BIGINT, city VARCHAR)');
    await sql("INSERT INTO lake.shared.trips VALUES (1, 'oslo'), (2, 'rome')");
    await sql("UPDATE lake.shared.trips SET city = 'roma' WHERE id = 2");
    await lakehouse.write('shared.trips', [{ id: 3, city: 'bonn' }]);
    expect(await sql('SELECT * FROM lake.shared.trips ORDER BY id')).toEqual([
      [1, 'oslo'],
      [2, 'roma'],
      [3, 'bonn'],
    ]);
    expect(await lakehouse.rows('shared.trips')).toEqual([
      { id: '3', city: 'bonn' },
      { id: '1', city: 'oslo' },
      { id: '2', city: 'roma' },
    ]);
  });
});
