import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import type { NestedField } from '../../src/iceberg/type.ts';
import { type FileMetadata, readFileMetadata } from '../../src/parquet/file-metadata.ts';
import { inflateLz4 } from '../../src/parquet/lz4.ts';
import { inflatePage } from '../../src/parquet/page-codec.ts';
import { PageMemory } from '../../src/parquet/page-memory.ts';
import { readRowGroup, uncovered } from '../../src/parquet/row-group.ts';
import { inflateSnappy } from '../../src/parquet/snappy.ts';
import { ThriftReader } from '../../src/parquet/thrift-reader.ts';
import { Dice, mutated } from '../tables/mutation.ts';
import { bytesFile, readCells } from './local-parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'icecore-hostile-parquet-'));
const files = new Map<string, Uint8Array>();
beforeAll(async () => {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const select = `SELECT i AS id, CASE WHEN i % 5 = 0 THEN NULL ELSE 'text ' || i % 40 END AS text, i / 7 AS share,
    [i, i + 1] AS list, {a: i, b: i::DECIMAL(30, 2)} AS struct FROM range(600) r(i)`;
  for (const version of ['V1', 'V2']) {
    for (const codec of ['uncompressed', 'snappy', 'lz4_raw', 'zstd']) {
      const path = join(folder, 'file.parquet');
      const ids = `FIELD_IDS {id: 1, text: 2, share: 3, list: {__duckdb_field_id: 4, element: 5}, struct: {__duckdb_field_id: 6, a: 7, b: 8}}`;
      await connection.run(
        `COPY (${select}) TO '${path}' (FORMAT parquet, ${ids}, COMPRESSION ${codec}, PARQUET_VERSION ${version}, ROW_GROUP_SIZE 2048)`,
      );
      files.set(`${version}, ${codec}`, readFileSync(path));
    }
  }
  connection.closeSync();
});
afterAll(() => rmSync(folder, { recursive: true }));

const fields: readonly NestedField[] = [
  { id: 1, name: 'id', type: 'long', required: false },
  { id: 2, name: 'text', type: 'string', required: false },
  { id: 3, name: 'share', type: 'double', required: false },
  { id: 4, name: 'list', type: { kind: 'list', elementId: 5, element: 'long', elementRequired: false }, required: false },
  {
    id: 6,
    name: 'struct',
    type: {
      kind: 'struct',
      fields: [
        { id: 7, name: 'a', type: 'long', required: false },
        { id: 8, name: 'b', type: 'decimal(30, 2)', required: false },
      ],
    },
    required: false,
  },
];

const seed = Number(process.env.ICECORE_HOSTILE_SEED ?? 20_261_123);
const runs = Number(process.env.ICECORE_HOSTILE_RUNS ?? 400);

test('whatever bytes a file has, reading it gives cells or an error that names it', async () => {
  let refused = 0;
  for (const [name, bytes] of files) {
    const whole = await readCells(bytesFile(name, bytes), fields);
    expect(whole.map((cells) => cells.length)).toEqual([600, 600, 600, 600, 600]);
    for (let run = 0; run < runs; run++) {
      const at = `${name}, seed ${seed}, run ${run}`;
      const file = bytesFile(`warehouse/${name}.parquet`, mutated(bytes, new Dice(seed + 1000 * run)));
      const error = await readCells(file, fields).then(
        () => null,
        (cause: unknown) => cause,
      );
      if (error === null) continue;
      refused++;
      expect(error, `${at}: ${error instanceof Error ? error.stack : ''}`).toBeInstanceOf(IcecoreError);
      expect([at, (error as IcecoreError).code]).toEqual([at, 'FAILED_PRECONDITION']);
      expect((error as IcecoreError).message).toContain(file.location);
    }
  }
  expect(refused).toBeGreaterThan(runs);
});

test('a file that is cut short anywhere is refused', async () => {
  const bytes = files.get('V2, zstd') ?? new Uint8Array();
  for (let length = 0; length < bytes.length; length += 1 + (length >> 6)) {
    await expect(readFileMetadata(bytesFile('cut.parquet', bytes.subarray(0, length)))).rejects.toThrow(/cut\.parquet.*damaged/);
  }
});

test('a file that claims millions of values which its pages do not have is refused', async () => {
  const many = 60_000_000;
  for (const [name, bytes] of files) {
    const read = readCells(bytesFile(name, bytes), fields, (metadata) => ({
      ...metadata,
      rowGroups: metadata.rowGroups.map(({ chunks }) => ({
        rowCount: many,
        chunks: chunks.map((chunk) => ({ ...chunk, valueCount: many })),
      })),
    }));
    await expect(read).rejects.toThrow(/fewer values than it says/);
  }
});

test('what this reader does not know is refused by name, before any page is read and while it is', async () => {
  const file = bytesFile('old.parquet', files.get('V1, snappy') ?? new Uint8Array());
  const metadata = await readFileMetadata(file);
  expect(uncovered(metadata, fields)).toBeNull();
  const old: FileMetadata = {
    ...metadata,
    rowGroups: metadata.rowGroups.map((group) => ({
      ...group,
      chunks: group.chunks.map((chunk) => ({ ...chunk, codec: 'LZ4' })),
    })),
  };
  expect(uncovered(old, fields)).toBe('The codec LZ4');
  await expect(readRowGroup(file, old, 0, fields)).rejects.toThrow(/old\.parquet.*LZ4 in the framing of Hadoop/);
  const asDate = [{ id: 1, name: 'id', type: 'date', required: false }] as const;
  expect(uncovered(metadata, asDate)).toBe('INT64 (integer) as date');
  await expect(readRowGroup(file, metadata, 0, asDate)).rejects.toMatchObject({
    context: { unsupported: 'INT64 (integer) as date' },
  });
});

test('a column that the file does not have is null, and nothing is read for it', async () => {
  const bytes = files.get('V1, zstd') ?? new Uint8Array();
  const metadata = await readFileMetadata(bytesFile('file.parquet', bytes));
  const unread = { ...bytesFile('file.parquet', bytes), read: () => Promise.reject(new Error('nothing is to be read')) };
  expect(await readRowGroup(unread, metadata, 0, [{ id: 99, name: 'new', type: 'long', required: false }])).toEqual([null]);
});

test('a page that would inflate beyond what it says, or says more than it can be, is refused', () => {
  const zeros = Buffer.alloc(8_000_000);
  const compressed = { ZSTD: zstdCompressSync(zeros), GZIP: gzipSync(zeros), BROTLI: brotliCompressSync(zeros) } as const;
  for (const codec of ['ZSTD', 'GZIP', 'BROTLI'] as const) {
    expect(inflatePage(codec, compressed[codec], zeros.length).length).toBe(zeros.length);
    for (const size of [1000, zeros.length + 1]) {
      expect(() => inflatePage(codec, compressed[codec], size), codec).toThrow(/damaged/);
    }
    expect(() => inflatePage(codec, new Uint8Array(20), 400_000_000)).toThrow(/damaged/);
  }
  expect(() => inflatePage('SNAPPY', new Uint8Array([0x80, 0x84, 0xaf, 0x5f, 0]), 200_000_000)).toThrow(/not of the size/);
  expect(() => inflatePage('LZ4_RAW', new Uint8Array(20), 400_000_000)).toThrow(/not of the size/);
  expect(() => inflatePage('ZSTD', new Uint8Array(20), 2 ** 40)).toThrow(/A page of more than/);
});

test('blocks of Snappy and LZ4 that refer outside themselves are refused', () => {
  const memory = new PageMemory();
  // A literal "ab", then a copy from three bytes before.
  expect(() => inflateSnappy(new Uint8Array([6, 0x04, 0x61, 0x62, 0x01, 0x03]), 6, memory)).toThrow(/outside itself/);
  expect(Buffer.from(inflateSnappy(new Uint8Array([6, 0x04, 0x61, 0x62, 0x01, 0x02]), 6, memory)).toString()).toBe('ababab');
  expect(() => inflateLz4(new Uint8Array([0x20, 0x61, 0x62, 0x03, 0x00]), 6, memory)).toThrow(/outside itself/);
  expect(() => inflateLz4(new Uint8Array([0x20, 0x61, 0x62, 0x00, 0x00]), 6, memory)).toThrow(/outside itself/);
  expect(Buffer.from(inflateLz4(new Uint8Array([0x20, 0x61, 0x62, 0x02, 0x00]), 6, memory)).toString()).toBe('ababab');
});

test('headers that nest without end, or claim more than there is, are refused', () => {
  const nested = new ThriftReader(new Uint8Array(10_000).fill(0x1c));
  expect(() => nested.struct(() => false)).toThrow(/without end/);
  const lists = new ThriftReader(new Uint8Array(10_000).fill(0x19));
  expect(() => lists.struct(() => false)).toThrow(/without end/);
  const long = new ThriftReader(new Uint8Array([0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f]));
  expect(() => long.struct(() => false)).toThrow(/longer than what holds it/);
});
