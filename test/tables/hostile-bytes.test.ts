import { readFile, utimes, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { planSnapshot, readManifestList } from '../../src/tables/snapshot-files.ts';
import type { Table } from '../../src/tables/table.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Dice, mutated } from './mutation.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'part', type: 'string' },
  { name: 'text', type: 'string' },
  { name: 'place', type: 'struct<x: double, tags: list<string>>' },
];

async function newTable(formatVersion: 2 | 3): Promise<Table> {
  const name = `raw.hostile_${formatVersion}`;
  const properties = { 'write.delete.mode': 'merge-on-read' };
  await warehouse.create(name, { columns, formatVersion, properties, partitionBy: [{ column: 'part', transform: 'identity' }] });
  for (const from of [0, 300]) {
    await warehouse.append(
      name,
      `SELECT i AS id, 'p' || i % 2 AS part, 'text ' || i AS text, {x: i / 2, tags: [i::VARCHAR]} AS place FROM range(${from}, ${from + 300}) r(i)`,
    );
  }
  const json = [{ id: 3 }, { id: 4 }, { id: 301 }];
  const { table } = await writeRows(warehouse.tables, {
    identifier: parseIdentifier(name),
    rows: { json },
    mode: 'DELETE',
    keys: ['id'],
  });
  return table;
}

interface HeldFile {
  readonly kind: string;
  readonly location: string;
}

async function filesOf(table: Table): Promise<readonly HeldFile[]> {
  const { metadata } = table;
  const { files } = warehouse.tables;
  const snapshot = currentSnapshot(metadata);
  if (snapshot === undefined) throw new Error('The table has no snapshot.');
  const manifests = await readManifestList(files, metadata, snapshot);
  const { tasks } = await planSnapshot(files, metadata, snapshot, { schema: currentSchema(metadata) });
  const data = tasks.map(({ file }) => file.filePath);
  const deletes = tasks.flatMap(({ deletes: each }) => each.map(({ filePath }) => filePath));
  return [
    { kind: 'metadata', location: table.metadataLocation },
    { kind: 'list', location: snapshot.manifestList },
    ...manifests.map(({ manifestPath, content }) => ({ kind: `${content} manifest`, location: manifestPath })),
    ...[...new Set(data)].map((location) => ({ kind: 'data', location })),
    ...[...new Set(deletes)].map((location) => ({ kind: 'deletes', location })),
  ];
}

/** Reads the table as a server does that has just begun: nothing is known of its files. */
async function read(table: Table): Promise<number> {
  const { catalog, storage, duckdb, clock, warehouse: location, stagingDirectory } = warehouse.tables;
  const tables = new Tables({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
  const fresh = await tables.load(table.identifier);
  const where = "part = 'p1' AND id > 5";
  const [all] = [await readRows(tables, fresh, { first: 1000 }), await readRows(tables, fresh, { first: 5, where })];
  return all.rows.length;
}

let puts = 0;

/** DuckDB keeps what it read of a file for as long as the file has the same time. */
async function put(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes);
  const seconds = 1_700_000_000 + 60 * puts++;
  await utimes(path, seconds, seconds);
}

const seed = Number(process.env.ICECORE_HOSTILE_SEED ?? 20_261_123);
const runs = Number(process.env.ICECORE_HOSTILE_RUNS ?? 12);

test.for([2, 3] as const)(
  'whatever bytes a file of a table of version %i has, reading it gives rows or an error that names it',
  async (formatVersion) => {
    const table = await newTable(formatVersion);
    const whole = await read(table);
    expect(whole).toBe(597);
    for (const { kind, location } of await filesOf(table)) {
      const path = fileURLToPath(location);
      const bytes = await readFile(path);
      for (let run = 0; run < runs; run++) {
        const at = `${kind} ${basename(path)}, seed ${seed}, run ${run}`;
        await put(path, mutated(bytes, new Dice(seed + 1000 * run + formatVersion)));
        const error = await read(table).then(
          () => null,
          (cause: unknown) => cause,
        );
        if (error !== null) {
          expect(error, at).toBeInstanceOf(IcecoreError);
          const { message, code } = error as IcecoreError;
          const causes = `${at}: ${code} ${message} ${String((error as Error).cause)}`;
          // What a damaged list or manifest names may be missing or elsewhere: then that is what the error says.
          const isNamed = message.includes(basename(path)) || message.includes('file:') || /snapshot|field|schema/.test(message);
          expect([causes, isNamed, code === 'INTERNAL']).toEqual([causes, true, false]);
        }
      }
      await put(path, bytes);
      expect(await read(table), `${kind} put back`).toBe(whole);
    }
  },
);
