import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NestedField } from '../../src/iceberg/type.ts';
import { type FileMetadata, type ParquetFile, readFileMetadata } from '../../src/parquet/file-metadata.ts';
import { openRowGroup } from '../../src/parquet/open-row-group.ts';
import { readRowGroup } from '../../src/parquet/row-group.ts';
import { cellsOf, localFile } from './local-parquet.ts';
import { SlowFile } from './slow-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'icecore-open-group-'));
let file: ParquetFile;
let metadata: FileMetadata;
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const path = join(folder, 'file.parquet');
  await connection.run(
    `COPY (SELECT i AS a, 'text ' || i AS b, {x: i, y: [i, 2]} AS c, i / 7 AS d FROM range(5000) r(i)) TO '${path}'
     (FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS {a: 1, b: 2, c: {__duckdb_field_id: 3, x: 4, y: {__duckdb_field_id: 5, element: 6}}, d: 7})`,
  );
  connection.closeSync();
  file = await localFile(path);
  metadata = await readFileMetadata(file);
});
afterAll(() => rmSync(folder, { recursive: true }));

const struct: NestedField['type'] = {
  kind: 'struct',
  fields: [
    { id: 4, name: 'x', type: 'long', required: false },
    { id: 5, name: 'y', type: { kind: 'list', elementId: 6, element: 'long', elementRequired: false }, required: false },
  ],
};
const fields: readonly NestedField[] = [
  { id: 1, name: 'a', type: 'long', required: false },
  { id: 2, name: 'b', type: 'string', required: false },
  { id: 3, name: 'c', type: struct, required: false },
  { id: 7, name: 'd', type: 'double', required: false },
  { id: 9, name: 'younger', type: 'double', required: false },
];

test('column by column is what all at once is, in any order of the fields, and in the order of the file', async () => {
  const whole = (await readRowGroup(file, metadata, 1, fields)).map((data) => data && cellsOf(data));
  expect(whole.map((cells) => cells?.length)).toEqual([2048, 2048, 2048, 2048, undefined]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: fields.length - 1 }), { maxLength: 8 }), async (chosen) => {
      const seen: number[] = [];
      const group = openRowGroup(
        file,
        metadata,
        1,
        chosen.flatMap((at) => fields[at] ?? []),
      );
      expect(group.rowCount).toBe(2048);
      for await (const { index, data } of group.columns()) {
        expect(data && cellsOf(data)).toEqual(whole[chosen[index] as number]);
        seen.push(index);
      }
      const placeOf = (index: number) => ((chosen[index] as number) + 1) % fields.length;
      expect(seen).toEqual([...chosen.keys()].sort((a, b) => placeOf(a) - placeOf(b) || a - b));
    }),
    { numRuns: 40 },
  );
});

test('the next group is requested while this one is not decoded yet', async () => {
  const slow = new SlowFile(file);
  const groups = [0, 1, 2].map((index) => openRowGroup(slow, metadata, index, fields));
  expect(slow.underWay).toBe(3);
  slow.answer(3);
  for (const group of groups) {
    let columns = 0;
    for await (const _ of group.columns()) columns++;
    expect(columns).toBe(fields.length);
  }
  expect(slow.requested.length).toBe(3);
});

test('the event loop has a turn between two columns', async () => {
  let turns = 0;
  let isReading = true;
  const turning = (async () => {
    for (; isReading; turns++) await setImmediate();
  })();
  const at: number[] = [];
  for await (const _ of openRowGroup(file, metadata, 0, fields).columns()) at.push(turns);
  isReading = false;
  await turning;
  for (let index = 1; index < at.length; index++) expect(at[index]).toBeGreaterThan(at[index - 1] as number);
});

test('an aborted reading throws the reason: before it begins, while it waits, and between two columns', async () => {
  const slow = new SlowFile(file);
  await expect(openRowGroup(slow, metadata, 0, fields, AbortSignal.abort()).columns().next()).rejects.toThrow(/aborted/);
  expect(slow.requested).toEqual([]);

  const waiting = new AbortController();
  const first = openRowGroup(slow, metadata, 0, fields.slice(0, 2), waiting.signal).columns().next();
  waiting.abort(new Error('enough'));
  await expect(first).rejects.toThrow('enough');

  const between = new AbortController();
  const columns = openRowGroup(file, metadata, 0, fields, between.signal).columns();
  await columns.next();
  await columns.next();
  between.abort(new Error('enough'));
  await expect(columns.next()).rejects.toThrow('enough');
  expect((await columns.next()).done).toBe(true);
});

test('a group that is left or closed requests no more', async () => {
  const slow = new SlowFile(file);
  const closed = openRowGroup(slow, metadata, 0, fields);
  closed.close();
  await expect(
    (async () => {
      for await (const { data } of closed.columns()) expect(data).toBeNull();
    })(),
  ).rejects.toThrow(/was ended/);
  for await (const { index } of openRowGroup(slow, metadata, 0, fields).columns()) {
    expect(index).toBe(4);
    break;
  }
});
