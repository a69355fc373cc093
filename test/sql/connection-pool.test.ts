import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConnectionPool } from '../../src/sql/connection-pool.ts';

let instance: DuckDBInstance;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
});
afterAll(() => instance.closeSync());

/** Something that ends when it is told to. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

test.each([1, 2])('no more leases than %i, the others in their turn', async (leasesMax) => {
  const pool = new ConnectionPool(instance, leasesMax);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      pool.use(async (connection) => {
        running++;
        most = Math.max(most, running);
        order.push(index);
        await connection.run('SELECT 1');
        running--;
      }),
    ),
  );
  expect(most).toBe(leasesMax);
  // Two connections may open in either order.
  if (leasesMax === 1) expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(pool.leased).toBe(0);
});

test('who gives up waiting takes no place', async () => {
  const pool = new ConnectionPool(instance, 1);
  const { opened, open } = gate();
  const first = pool.use(() => opened);
  const abort = new AbortController();
  const second = pool.use(async () => 'second', abort.signal);
  const third = pool.use(async () => 'third');
  abort.abort(new Error('gave up'));
  await expect(second).rejects.toThrow('gave up');
  open();
  await first;
  expect(await third).toBe('third');
  expect(pool.leased).toBe(0);
  await expect(pool.use(async () => 1, abort.signal)).rejects.toThrow('gave up');
});

test('what is temporary ends with its lease', async () => {
  const pool = new ConnectionPool(instance, 1);
  for (let index = 0; index < 3; index++) {
    await pool.use((connection) => connection.run('CREATE TEMP TABLE t AS SELECT 1'));
  }
  await expect(pool.use((connection) => connection.run('SELECT * FROM t'))).rejects.toThrow('does not exist');
});

test('an abort interrupts every statement until the lease ends, and what cleans up runs all the same', async () => {
  const pool = new ConnectionPool(instance, 1);
  const abort = new AbortController();
  const lease = await pool.lease(abort.signal);
  lease.defer('CREATE OR REPLACE TABLE cleaned AS SELECT 1');
  abort.abort();
  const long = 'SELECT count(*) FROM range(100000000) a, range(100000000) b';
  await expect(lease.connection.run(long)).rejects.toThrow(/interrupted/i);
  await expect(lease.connection.run(long)).rejects.toThrow(/interrupted/i);
  await lease.release();
  expect((await pool.use((connection) => connection.runAndReadAll('SELECT * FROM cleaned'))).getRows()).toEqual([[1]]);
});
