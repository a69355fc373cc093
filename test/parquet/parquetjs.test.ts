import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ParquetSchema, ParquetWriter } from 'parquetjs-lite';
import { expect, test } from 'vitest';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import type { FileMetadata } from '../../src/parquet/file-metadata.ts';
import { localFile, readCells } from './local-parquet.ts';

const types: readonly (readonly [string, string, Type])[] = [
  ['flag', 'BOOLEAN', 'boolean'],
  ['small', 'INT32', 'int'],
  ['large', 'INT64', 'long'],
  ['ratio', 'FLOAT', 'float'],
  ['share', 'DOUBLE', 'double'],
  ['day', 'DATE', 'date'],
  ['at', 'TIMESTAMP_MILLIS', 'timestamp'],
  ['text', 'UTF8', 'string'],
  ['bytes', 'BYTE_ARRAY', 'binary'],
];
const fields: readonly NestedField[] = types.map(([name, , type], index) => ({ id: index + 1, name, type, required: false }));

/** It writes no field ids: they are given by name. */
function withIds(metadata: FileMetadata): FileMetadata {
  const ids = new Map(fields.map(({ name, id }) => [name, id]));
  return { ...metadata, columns: metadata.columns.map((column) => ({ ...column, fieldId: ids.get(column.name) ?? null })) };
}

function row(i: number): Readonly<Record<string, unknown>> {
  const all = {
    flag: i % 3 === 0,
    small: i * 7919 - 5_000_000,
    large: i * 1_000_003,
    ratio: i / 8,
    share: i / 7,
    day: new Date(Date.UTC(1969, 5, 1 + i)),
    at: new Date(Date.UTC(1969, 5, 1, i, 2, 3, 4)),
    text: i % 11 === 0 ? '' : `né 🛫 ${i}`,
    bytes: Buffer.from(String(i)),
  };
  return Object.fromEntries(Object.entries(all).filter((_, index) => (i + index) % 4 !== 0));
}

/** As `cellsOf` prints it. */
function cell(type: Type, value: unknown): string {
  if (value === undefined) return 'null';
  const bytes = Buffer.alloc(8);
  switch (type) {
    case 'boolean':
      return value === true ? '1' : '0';
    case 'int':
      bytes.writeInt32LE(Number(value));
      return bytes.toString('hex', 0, 4);
    case 'float':
      bytes.writeFloatLE(Number(value));
      return bytes.toString('hex', 0, 4);
    case 'date':
      bytes.writeInt32LE(Math.floor(Number(value) / 86_400_000));
      return bytes.toString('hex', 0, 4);
    case 'double':
      bytes.writeDoubleLE(Number(value));
      return bytes.toString('hex');
    case 'long':
      bytes.writeBigInt64LE(BigInt(Number(value)));
      return bytes.toString('hex');
    case 'timestamp':
      bytes.writeBigInt64LE(BigInt(Number(value)) * 1000n);
      return bytes.toString('hex');
    default:
      return `"${Buffer.from(value as string).toString('latin1')}"`;
  }
}

test.for(['UNCOMPRESSED', 'SNAPPY', 'GZIP'])(
  'reads what parquetjs-lite writes: %s, both versions of pages',
  async (compression) => {
    const folder = mkdtempSync(join(tmpdir(), 'icecore-parquetjs-'));
    try {
      const columns = Object.fromEntries(types.map(([name, type]) => [name, { type, optional: true, compression }]));
      for (const useDataPageV2 of [false, true]) {
        const path = join(folder, `${useDataPageV2}.parquet`);
        const writer = await ParquetWriter.openFile(new ParquetSchema(columns), path, { useDataPageV2, rowGroupSize: 400 });
        const rows = Array.from({ length: 1000 }, (_, i) => row(i));
        for (const each of rows) await writer.appendRow({ ...each });
        await writer.close();
        const cells = await readCells(await localFile(path), fields, withIds);
        for (const [index, { name, type }] of fields.entries()) {
          expect(cells[index], `${name}, version ${useDataPageV2 ? 2 : 1}`).toEqual(rows.map((each) => cell(type, each[name])));
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
