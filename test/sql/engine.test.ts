import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DuckDb } from '../../src/sql/duckdb.ts';

const file = `${tmpdir()}/icecore-engine-${process.pid}.parquet`;
let duckdb: DuckDb;
beforeAll(async () => {
  const options = { spillDirectory: `${tmpdir()}/icecore-engine-${process.pid}`, memoryBytesMax: 256 * 1024 * 1024, threads: 2 };
  duckdb = await DuckDb.open({ ...options, readableDirectories: [tmpdir()] });
});
afterAll(async () => {
  await duckdb.close();
  await rm(file, { force: true });
  await rm(`${tmpdir()}/icecore-engine-${process.pid}`, { recursive: true, force: true });
});

/** DuckDB 1.5 fails within itself on a column without an id beside one with an id. */
const columns = ['a', 'b'].map((name, index) => `${index + 1}: {name: '${name}', type: 'INT', default_value: NULL}`);
const fatal = `SELECT * FROM read_parquet('${file}', schema = MAP {${columns.join(', ')}}, filename = true, file_row_number = true)`;

test.for(['trusted', 'guarded'] as const)(
  'an error within the %s instance ends it, and another takes its place',
  async (name) => {
    const pool = duckdb[name];
    await duckdb.trusted.use((connection) =>
      connection.run(`COPY (SELECT 1::INT AS a, 2 AS b) TO '${file}' (FORMAT parquet, FIELD_IDS {b: 2})`),
    );
    const held = await pool.lease();
    await expect(pool.use((connection) => connection.run(fatal))).rejects.toThrow('INTERNAL Error');
    // Those who come at once all get the new one.
    const values = await Promise.all(
      Array.from({ length: 8 }, () =>
        pool.use(async (connection) => (await connection.runAndReadAll("SELECT current_setting('TimeZone')")).getRows()),
      ),
    );
    expect(values).toEqual(Array(8).fill([['UTC']]));
    await expect(held.connection.run('SELECT 1')).rejects.toThrow('invalidated');
    await held.release();
    if (name === 'guarded') {
      await expect(pool.use((connection) => connection.run("SELECT * FROM read_text('/etc/hostname')"))).rejects.toThrow(
        'Permission',
      );
    }
  },
);
