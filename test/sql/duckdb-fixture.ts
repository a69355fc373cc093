import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDb } from '../../src/sql/duckdb.ts';

export interface DuckDbFixture {
  readonly directory: string;
  /** The only directory that callers' SELECTs may read. */
  readonly warehouse: string;
  readonly db: DuckDb;
  close(): Promise<void>;
}

/** A real DuckDb over a directory of its own. */
export async function openFixture(): Promise<DuckDbFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-sql-'));
  const warehouse = join(directory, 'warehouse');
  const db = await DuckDb.open({
    spillDirectory: join(directory, 'spill'),
    memoryBytesMax: 512 * 1024 * 1024,
    threads: 2,
    readableDirectories: [warehouse],
  });
  return {
    directory,
    warehouse,
    db,
    async close() {
      await db.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
