import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { isCutShort, refuseCutShort } from '../../src/sql/cut-short.ts';

async function streamed(sql: string) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const result = await connection.stream(sql);
  let rowCount = 0;
  for await (const rows of result.yieldRows()) rowCount += rows.length;
  return { result, rowCount };
}

describe('a streamed result', () => {
  it('that failed in the middle is told from one that is done', async () => {
    const failed = await streamed(
      "SELECT CASE WHEN range = 900000 THEN CAST('x' || range AS INTEGER) ELSE 1 END FROM range(1000000)",
    );
    expect(failed.rowCount).toBeLessThan(1_000_000);
    expect(isCutShort(failed.result)).toBe(true);
    expect(() => refuseCutShort(failed.result, 'Reading')).toThrow(/Reading ended before its last row/);
  });

  it('that is done, with rows or without, is whole', async () => {
    for (const [sql, rows] of [
      ['SELECT 1 FROM range(10000)', 10_000],
      ['SELECT 1 FROM range(0)', 0],
    ] as const) {
      const done = await streamed(sql);
      expect(done.rowCount).toBe(rows);
      refuseCutShort(done.result, 'Reading');
    }
  });
});
