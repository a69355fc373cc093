import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { comparable, type DemoStore, type TableAtSnapshot } from './demo-store.ts';

/** Asserts that a Python reader of Iceberg finds in tables at snapshots the rows that Icecore gives, each row and no other. */
export async function expectSameRows(
  store: DemoStore,
  python: string,
  reader: 'pyiceberg' | 'duckdb',
  tables: readonly TableAtSnapshot[],
): Promise<void> {
  const requests = tables.map(({ table, snapshotId }, index) => ({
    metadata: table.metadataLocation,
    snapshotId: snapshotId === null ? null : String(snapshotId),
    output: join(store.directory, `${reader}-${index}.jsonl`),
  }));
  const requestFile = join(store.directory, `${reader}.json`);
  writeFileSync(requestFile, JSON.stringify(requests));
  const script = fileURLToPath(new URL('table_rows.py', import.meta.url));
  const run = spawnSync(python, [script, reader, requestFile], { encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  for (const [index, at] of tables.entries()) {
    const theirs = readFileSync(requests[index]?.output ?? '', 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    expect(theirs.map((line) => comparable(JSON.parse(line))).sort(), `${at.table.name} at ${at.snapshotId}`).toEqual(
      await store.rows(at),
    );
  }
}
