import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrowSchema } from '../../src/arrow/arrow-type.ts';
import { RecordBatchBuilder } from '../../src/arrow/record-batch.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { quoteText } from '../../src/sql/quote.ts';
import { printFieldIds } from '../../src/tables/parquet-columns.ts';
import { cellsOf, localFile, readCells } from './local-parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'icecore-generated-'));
let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run("SET TimeZone = 'UTC'");
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true });
});

/** SQL of a cell from `h`, an unsigned integer of 64 bits, and the Iceberg type that DuckDB writes it as. */
const kinds: readonly (readonly [sql: string, type: Type])[] = [
  ['h % 2 = 0', 'boolean'],
  ['(h % 4294967296 - 2147483648)::INTEGER', 'int'],
  ['(h % 300)::INTEGER', 'int'],
  ['(h - 9223372036854775808)::BIGINT', 'long'],
  ['(1000000 + h % 64)::BIGINT', 'long'],
  ['(h / 3)::FLOAT', 'float'],
  ["CASE h % 9 WHEN 0 THEN 'NaN'::DOUBLE WHEN 1 THEN '-Infinity'::DOUBLE ELSE h / 7 END", 'double'],
  ["DATE '1970-01-01' + (h % 200000 - 100000)::INTEGER", 'date'],
  ["TIME '00:00:00' + to_microseconds((h % 86400000000)::BIGINT)", 'time'],
  ['make_timestamp((h % 4000000000000000)::BIGINT - 2000000000000000)', 'timestamp'],
  ['make_timestamp((h % 4000000000000000)::BIGINT)::TIMESTAMPTZ', 'timestamptz'],
  ['make_timestamp_ns((h % 9000000000000000000)::BIGINT)', 'timestamp_ns'],
  ["repeat('é', (h % 40)::INTEGER) || h", 'string'],
  ["'label ' || h % 12", 'string'],
  ["unhex(substr(printf('%016x', (h // 2)::BIGINT), 1, 2 * (h % 9)::INTEGER))", 'binary'],
  ['(h % 100000)::DECIMAL(9, 0)::DECIMAL(9, 2)', 'decimal(9, 2)'],
  ['((h % 1000000000000)::BIGINT - 5000000000)::DECIMAL(18, 3)', 'decimal(18, 3)'],
  ['(h::DECIMAL(38, 0) * -12345)::DECIMAL(38, 0)', 'decimal(38, 0)'],
  ['md5(h::VARCHAR)::UUID', 'uuid'],
  [
    'CASE WHEN h % 7 = 0 THEN [] ELSE [(h % 50)::INTEGER, NULL, 7] END',
    { kind: 'list', elementId: 1, element: 'int', elementRequired: false },
  ],
  [
    "{a: (h % 50)::BIGINT, b: CASE WHEN h % 5 = 0 THEN NULL ELSE 'b' || h % 50 END}",
    {
      kind: 'struct',
      fields: [
        { id: 1, name: 'a', type: 'long', required: false },
        { id: 2, name: 'b', type: 'string', required: false },
      ],
    },
  ],
];

/** Ids that no other column has. */
function numbered(type: Type, base: number): Type {
  if (typeof type === 'string') return type;
  if (type.kind === 'list') return { ...type, elementId: base + 1 };
  if (type.kind === 'struct') return { ...type, fields: type.fields.map((field) => ({ ...field, id: base + field.id })) };
  return type;
}

const column = fc.record({
  kind: fc.nat({ max: kinds.length - 1 }),
  /** Of how many different values, and how often one stands behind itself. */
  distinct: fc.constantFrom(1, 3, 200, 1_000_000),
  run: fc.constantFrom(1, 2, 50),
  nullsIn: fc.constantFrom(0, 1, 2, 10),
  seed: fc.nat({ max: 1000 }),
});
const options = fc.record({
  COMPRESSION: fc.constantFrom('uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4_raw'),
  PARQUET_VERSION: fc.constantFrom('V1', 'V2'),
  DICTIONARY_SIZE_LIMIT: fc.constantFrom(1, 100_000),
  ROW_GROUP_SIZE: fc.constantFrom(2048, 100_000),
});

test('tables of any columns, written by DuckDB in any of its ways, are read as DuckDB reads them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(column, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 3000 }),
      options,
      async (columns, rows, how) => {
        const path = join(folder, 'generated.parquet');
        const fields: readonly NestedField[] = columns.map(({ kind }, index) => {
          const id = (index + 1) * 10;
          return { id, name: `c${index}`, type: numbered(kinds[kind]?.[1] ?? 'int', id), required: false };
        });
        const cells = columns.map(({ kind, distinct, run, nullsIn, seed }, index) => {
          const hashed = `hash((i // ${run}) % ${distinct}, ${seed})::HUGEINT`;
          const cell = (kinds[kind]?.[0] ?? '').replaceAll(/\bh\b/g, hashed);
          return `CASE WHEN ${nullsIn} > 0 AND hash(i, ${seed}, 1) % ${Math.max(1, nullsIn)} = 0 THEN NULL ELSE ${cell} END AS c${index}`;
        });
        const written = Object.entries(how).map(([name, value]) => `${name} ${value}`);
        const fieldIds = `FIELD_IDS ${printFieldIds(fields)}`;
        await connection.run(
          `COPY (SELECT ${cells.join(', ')} FROM range(${rows}) r(i)) TO ${quoteText(path)} (FORMAT parquet, ${fieldIds}, ${written.join(', ')})`,
        );
        const actual = await readCells(await localFile(path), fields);
        const result = await connection.run(`SELECT * FROM read_parquet(${quoteText(path)})`);
        const builder = new RecordBatchBuilder(arrowSchema(fields), result.columnTypes(), rows + 1);
        for (const chunk of await result.fetchAllChunks()) for (const _ of builder.append(chunk));
        const expected = builder.take().data.children.map(cellsOf);
        expect(actual).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});
