import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { comparable, type DemoStore, type TableAtSnapshot } from './demo-store.ts';

/** A program in Python that prints the rows of tables: `python SCRIPT ARGUMENT REQUESTS.json`. */
export interface PeerReader {
  readonly name: string;
  readonly python: string;
  readonly script: string;
  readonly argument: string;
}

/** Asserts that a Python reader of Iceberg finds in tables at snapshots the rows that Icecore gives, each row and no other. */
export async function expectSameRows(store: DemoStore, reader: PeerReader, tables: readonly TableAtSnapshot[]): Promise<void> {
  const requests = tables.map(({ table, snapshotId }, index) => ({
    metadata: table.metadataLocation,
    snapshotId: snapshotId === null ? null : String(snapshotId),
    output: join(store.directory, `${reader.name}-${index}.jsonl`),
  }));
  const requestFile = join(store.directory, `${reader.name}.json`);
  writeFileSync(requestFile, JSON.stringify(requests));
  const script = fileURLToPath(new URL(reader.script, import.meta.url));
  const run = spawnSync(reader.python, [script, reader.argument, requestFile], { encoding: 'utf8' });
  expect(run.status, run.stderr).toBe(0);
  for (const [index, at] of tables.entries()) {
    const lines = readFileSync(requests[index]?.output ?? '', 'utf8').split('\n');
    const theirs = lines.filter((line) => line !== '').map((line) => comparable(JSON.parse(line)));
    const ours = await store.rows(at);
    const where = `${at.table.name} at ${at.snapshotId}`;
    expect({ alone: beyond(theirs, ours), missing: beyond(ours, theirs) }, where).toEqual({ alone: [], missing: [] });
  }
}

/** The first few of `rows` that `others` do not have as often. */
function beyond(rows: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1);
  const more = rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
  return more.slice(0, 3);
}
