import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { findHttpfs } from '../../src/sql/httpfs.ts';
import { ServerProcess } from '../http/server-process.ts';
import { httpfsDirectory } from './httpfs.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from './seaweedfs.ts';

const create = `mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }`;
const write = `mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded rowsRemoved } }`;
const select = `query ($sql: String!) { sql(statement: $sql) { rows } }`;

describe.skipIf(noObjectStore() !== null)('a warehouse on S3', () => {
  let store: ObjectStore;
  let extensions: string;
  beforeAll(async () => {
    extensions = httpfsDirectory();
    store = await startObjectStore();
  });
  afterAll(() => store?.stop());

  /** Writes, upserts and reads; gives the rows, and the files that came to lie in the cache of objects. */
  async function worked(name: string, environment: Readonly<Record<string, string>>) {
    const server = await ServerProcess.start({
      ...store.environment,
      ICECORE_WAREHOUSE: `s3://${store.bucket}/${name}`,
      ...environment,
    });
    try {
      const columns = [
        { name: 'id', type: 'long' },
        { name: 'day', type: 'date' },
        { name: 'text', type: 'string' },
      ];
      const partitionBy = [{ column: 'text', transform: 'identity' }];
      const properties = { 'write.merge.mode': 'merge-on-read' };
      await server.data(create, { input: { name: 'raw.t', columns, partitionBy, properties } });
      const row = (id: number, text: string) => ({ id: String(id), day: '2001-02-03', text });
      const rows = [row(1, 'plain'), row(2, 'with space & 100% ?*'), row(3, 'plain')];
      await server.data(write, { input: { table: 'raw.t', rows: { json: rows }, mode: 'APPEND' } });
      const upserted = [{ ...row(3, 'plain'), day: '2002-02-03' }];
      await server.data(write, { input: { table: 'raw.t', rows: { json: upserted }, mode: 'UPSERT', keys: ['id'] } });
      const { sql } = await server.data(select, { sql: 'SELECT id, day, text FROM raw.t ORDER BY id' });
      const cached = await readdir(join(server.directory, 'cache/files'), { recursive: true }).catch(() => []);
      return { rows: sql.rows, cached: cached.filter((file) => !file.endsWith('.lock')) };
    } finally {
      await server.stop();
    }
  }

  test('is read where it is with httpfs, and as copies without, to the same rows', async () => {
    const inPlace = await worked('in-place', { ICECORE_DUCKDB_EXTENSIONS: extensions });
    const copied = await worked('copied', { HOME: '/nonexistent' });
    expect(inPlace.rows).toEqual(copied.rows);
    expect(inPlace.rows).toHaveLength(3);
    // A key that DuckDB would take for a pattern is read as a copy all the same.
    expect(inPlace.cached.length).toBeLessThan(copied.cached.length);
  });

  test('says what is wrong with the directory of extensions, and shows no key', async () => {
    await expect(findHttpfs('/nonexistent', store.environment)).rejects.toThrow(
      'ICECORE_DUCKDB_EXTENSIONS is /nonexistent, and there is no httpfs.duckdb_extension in it.',
    );
    const found = await findHttpfs(extensions, { ...store.environment, AWS_ENDPOINT_URL_S3: "http://localhost:1'" }).catch(
      (error: unknown) => error,
    );
    if (IcecoreError.is(found, 'FAILED_PRECONDITION')) expect(found.message).not.toContain('testsecret123');
    expect(await findHttpfs(extensions, { ...store.environment, AWS_SESSION_TOKEN: 'changes' })).toBeNull();
  });
});
