import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { Lakehouse } from './lakehouse.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer, type Subject } from './rest-server.ts';

/** A client that has nothing but a key of Icecore's: whatever of Amazon's is in the environment is not its own. */
const nothingOfItsOwn = {
  AWS_ACCESS_KEY_ID: '',
  AWS_SECRET_ACCESS_KEY: '',
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
  // s3fs shares one client among threads, and PyIceberg 0.12 takes the signer off it and puts it on again for each new thread: a
  // request of another in between goes out unsigned.
  PYICEBERG_MAX_WORKERS: '1',
};

function prelude(uri: string, subject: Subject, more: string): string {
  return `
import pyarrow
from pyiceberg.catalog import load_catalog
catalog = load_catalog("lake", type="rest", uri="${uri}", token="${keyOf(subject)}"${more})
batch = pyarrow.table({"id": pyarrow.array([1, 2, 3], pyarrow.int64()), "name": ["a", "b", None]})
def rows(table):
    return sorted(catalog.load_table(table).scan().to_arrow().to_pylist(), key=str)
`;
}

describeWith(['python3'], 'PyIceberg on S3, without keys of its own', () => {
  let store: ObjectStore;
  let server: RestServer;
  let lakehouse: Lakehouse;

  beforeAll(async () => {
    store = await startObjectStore();
    const prefix = `s3://${store.bucket}/scoped`;
    const endpoint = { endpoint: store.environment.AWS_ENDPOINT_URL_S3, region: 'us-east-1' };
    server = await RestServer.start({
      warehouse: `${prefix}/warehouse`,
      environment: {
        ...store.environment,
        ICECORE_STORAGE_CREDENTIALS: JSON.stringify([
          { prefix, accessKeyId: 'scoped-writer', secretAccessKey: 'secret-of-scoped-writer', ...endpoint },
          { prefix, accessKeyId: 'scoped-reader', secretAccessKey: 'secret-of-scoped-reader', for: 'read', ...endpoint },
        ]),
      },
    });
    lakehouse = new Lakehouse(server.api('keeper'));
  });

  afterAll(async () => {
    await server?.stop();
    await store?.stop();
  });

  async function session(lock: string, subject: Subject, more = ''): Promise<PythonSession> {
    const python = pythonEnvironment(new URL(`../python/${lock}`, import.meta.url).pathname);
    return await PythonSession.start(python, prelude(server.catalogUri, subject, more), {
      directory: server.directory,
      environment: nothingOfItsOwn,
    });
  }

  describe('with storage credentials, as it asks by itself', () => {
    let keeper: PythonSession;
    let reader: PythonSession;

    beforeAll(async () => {
      keeper = await session('pyiceberg.lock', 'keeper');
      reader = await session('pyiceberg.lock', 'reader');
    });

    afterAll(async () => {
      await keeper?.stop();
      await reader?.stop();
    });

    test('appends and reads; Icecore reads what it wrote, and it reads what Icecore wrote', async () => {
      await keeper.value('catalog.create_namespace("shared")');
      await keeper.value('table = catalog.create_table("shared.vended", batch.schema)\ntable.append(batch)');
      await lakehouse.write('shared.vended', [{ id: 4, name: 'd' }]);
      const expected = [
        { id: 1, name: 'a' },
        { id: 2, name: 'b' },
        { id: 3, name: null },
        { id: 4, name: 'd' },
      ];
      expect(await keeper.value('rows("shared.vended")')).toEqual(expected);
      expect(await reader.value('rows("shared.vended")')).toEqual(expected);
    });

    test('touches nothing else in the store, and a reader writes nothing', async () => {
      const write = (bucket: string) => `
io = catalog.load_table("shared.vended").io
with io.new_output("s3://${bucket}/x").create(overwrite=True) as file:
    file.write(b"x")
`;
      expect(await keeper.refusal(write(`${store.bucket}/other`))).toMatch(/ACCESS_DENIED|AccessDenied|403/);
      expect(await keeper.refusal(write('another'))).toMatch(/ACCESS_DENIED|AccessDenied|403|NO_SUCH_BUCKET/);
      expect(await reader.refusal(write(`${store.bucket}/scoped/warehouse`))).toMatch(/ACCESS_DENIED|AccessDenied|403/);
    });
  });

  describe('with signatures of the catalog', () => {
    let keeper: PythonSession;
    let reader: PythonSession;

    beforeAll(async () => {
      const signing = ', **{"header.X-Iceberg-Access-Delegation": "remote-signing"}';
      keeper = await session('pyiceberg-s3fs.lock', 'keeper', signing);
      reader = await session('pyiceberg-s3fs.lock', 'reader', signing);
    });

    afterAll(async () => {
      await keeper?.stop();
      await reader?.stop();
    });

    test('makes a table, appends, reads and deletes rows; Icecore reads what it wrote', async () => {
      await keeper.value(`
table = catalog.create_table("shared.signed", batch.schema)
table.append(batch)
table.delete("id = 2")
`);
      const expected = [
        { id: 1, name: 'a' },
        { id: 3, name: null },
      ];
      expect(await keeper.value('type(catalog.load_table("shared.signed").io).__name__')).toBe('FsspecFileIO');
      expect(await keeper.value('rows("shared.signed")')).toEqual(expected);
      expect(await reader.value('rows("shared.signed")')).toEqual(expected);
      expect(await lakehouse.rows('shared.signed')).toEqual(expected.map(({ id, name }) => ({ id: String(id), name })));
    });

    test('makes a table and writes it in one transaction', async () => {
      await keeper.value(`
with catalog.create_table_transaction("shared.staged", batch.schema) as transaction:
    transaction.append(batch)
`);
      expect(await keeper.value('len(rows("shared.staged"))')).toBe(3);
    });

    test('gets no signature for anything else, and a reader none for writing', async () => {
      const write = (path: string) => `
io = catalog.load_table("shared.signed").io
with io.new_output(${path}).create(overwrite=True) as file:
    file.write(b"x")
`;
      const inside = 'catalog.load_table("shared.signed").location() + "/data/x"';
      expect(await keeper.refusal(write(`"s3://${store.bucket}/scoped/x"`))).toMatch(/SignError.*403/s);
      expect(await reader.refusal(write(inside))).toMatch(/SignError.*403/s);
      await keeper.value(write(inside));
    });
  });
});
