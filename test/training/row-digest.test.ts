import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { digestRelation, RowDigest } from '../../src/training/row-digest.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
});
afterAll(() => connection.closeSync());

type VectorType =
  | string
  | { type: 'struct'; fields: VectorColumn[] }
  | { type: 'list'; element: VectorType }
  | { type: 'map'; key: VectorType; value: VectorType };
interface VectorColumn {
  name: string;
  type: VectorType;
}
interface Vector {
  name: string;
  columns: VectorColumn[];
  rows: unknown[][];
  digest: string;
}

const vectorsFile = new URL('./row-digest-vectors.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { vectors: Vector[] };

function typeOf(type: VectorType): Type {
  if (typeof type === 'string') return type as Type;
  switch (type.type) {
    case 'struct':
      return { kind: 'struct', fields: type.fields.map(fieldOf) };
    case 'list':
      return { kind: 'list', elementId: 90, element: typeOf(type.element), elementRequired: false };
    case 'map':
      return { kind: 'map', keyId: 91, key: typeOf(type.key), valueId: 92, value: typeOf(type.value), valueRequired: false };
  }
}

function fieldOf({ name, type }: VectorColumn, index: number): NestedField {
  return { id: index + 1, name, type: typeOf(type), required: false };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The DuckDB type that holds an Iceberg one. */
function duckType(type: VectorType): string {
  if (typeof type !== 'string') {
    if (type.type === 'list') return `${duckType(type.element)}[]`;
    if (type.type === 'map') return `MAP(${duckType(type.key)}, ${duckType(type.value)})`;
    return `STRUCT(${type.fields.map((field) => `"${field.name}" ${duckType(field.type)}`).join(', ')})`;
  }
  if (type.startsWith('decimal')) return type;
  const names: Record<string, string> = { int: 'INTEGER', long: 'BIGINT', string: 'VARCHAR', binary: 'BLOB', 'fixed[3]': 'BLOB' };
  return names[type] ?? type.toUpperCase();
}

function bare(type: VectorType, cell: unknown): string {
  if (cell === null) return 'NULL';
  if (typeof type !== 'string') {
    const items = cell as unknown[];
    if (type.type === 'list') return `[${items.map((item) => literal(type.element, item)).join(', ')}]`;
    if (type.type === 'map') {
      const entries = items as [unknown, unknown][];
      const keys = entries.map(([key]) => literal(type.key, key)).join(', ');
      return `MAP([${keys}], [${entries.map(([, value]) => literal(type.value, value)).join(', ')}])`;
    }
    return `{${type.fields.map((field, i) => `${quoted(field.name)}: ${literal(field.type, items[i])}`).join(', ')}}`;
  }
  const text = String(cell);
  switch (type) {
    case 'date':
      return `DATE '1970-01-01' + ${text}`;
    case 'time':
      return `TIME '00:00:00' + to_microseconds(${text})`;
    case 'timestamp':
      return `make_timestamp(${text})`;
    case 'timestamptz':
      return `TIMESTAMPTZ '1970-01-01 00:00:00+00' + to_microseconds(${text})`;
    case 'timestamp_ns':
      return `make_timestamp_ns(${text})`;
    case 'binary':
    case 'fixed[3]':
      return `from_hex('${text}')`;
  }
  const decimal = /^decimal\(\d+, (\d+)\)$/.exec(type);
  if (decimal === null) return quoted(text);
  const scale = Number(decimal[1]);
  const digits = text.replace('-', '').padStart(scale + 1, '0');
  return quoted(
    `${text.startsWith('-') ? '-' : ''}${digits.slice(0, digits.length - scale)}.${digits.slice(digits.length - scale)}`,
  );
}

function literal(type: VectorType, cell: unknown): string {
  return `(${bare(type, cell)})::${duckType(type)}`;
}

function relation({ columns, rows }: Vector): string {
  const empty = columns.map(({ name, type }) => `NULL::${duckType(type)} AS "${name}"`);
  const selects = rows.map(
    (row, n) => `SELECT ${n} AS n, ${columns.map(({ name, type }, i) => `${literal(type, row[i])} AS "${name}"`).join(', ')}`,
  );
  return `(${[`SELECT 0 AS n, ${empty.join(', ')} WHERE false`, ...selects].join(' UNION ALL ')})`;
}

describe('the published vectors', () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', async (_, vector) => {
    expect(await digestRelation(connection, relation(vector), vector.columns.map(fieldOf), 'n')).toBe(vector.digest);
  });

  test('no two are the same', () => expect(new Set(vectors.map(({ digest }) => digest)).size).toBe(vectors.length));

  const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0;
  if (!python && process.env['CI'] !== 'true')
    console.log('Skipped: the row digest in Python, which needs python3 from 3.10 on.');
  test.skipIf(!python && process.env['CI'] !== 'true')('hold for the independent program in Python', () => {
    const script = new URL('../../scripts/row_digest.py', import.meta.url).pathname;
    const run = spawnSync('python3', [script, vectorsFile.pathname], { encoding: 'utf8' });
    expect(run.stdout).toBe(`${vectors.length} vectors, 0 wrong\n`);
    expect(run.status).toBe(0);
  });
});

const columns = [
  { name: 'i', type: 'long' },
  { name: 'x', type: 'double' },
  { name: 's', type: 'string' },
] as const;
const manyRows =
  "(SELECT i, CASE WHEN i % 7 > 0 THEN i / 3 END::DOUBLE AS x, repeat('é', (i % 5000)::INTEGER) AS s FROM range(6000) t(i))";

async function digestInParts(cuts: readonly number[]): Promise<string> {
  const digest = new RowDigest(columns, 6000n);
  let from = 0;
  for (const to of [...cuts, 6000]) {
    const result = await connection.stream(`SELECT * FROM ${manyRows} WHERE i >= ${from} AND i < ${to} ORDER BY i`);
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk())
      digest.update(chunk);
    from = to;
  }
  return digest.digest();
}

test('depends on rows and their order, not on how they are cut into chunks', async () => {
  const whole = await digestInParts([]);
  expect(await digestInParts([1, 2, 2049, 5999])).toBe(whole);
  expect(await digestRelation(connection, manyRows, columns, 'i')).toBe(whole);
  expect(await digestRelation(connection, manyRows, columns, 'i DESC')).not.toBe(whole);
  const changed = `(SELECT i, x, CASE WHEN i = 5998 THEN s || '.' ELSE s END AS s FROM ${manyRows})`;
  expect(await digestRelation(connection, changed, columns, 'i')).not.toBe(whole);
});

test('refuses another number of rows or columns than it was told, and cells of another type', async () => {
  const chunk = (await (await connection.stream('SELECT 1::BIGINT')).fetchChunk()) ?? undefined;
  if (chunk === undefined) throw new Error('DuckDB gave no chunk.');
  const long = [{ name: 'a', type: 'long' }] as const;
  expect(() => new RowDigest(long, 1n).digest()).toThrow('A row digest of 1 rows was given 0.');
  expect(() => new RowDigest([...long, ...long], 1n).update(chunk)).toThrow('A row digest of 2 columns was given 1.');
  expect(() => new RowDigest([{ name: 'a', type: 'string' }], 1n).update(chunk)).toThrow(
    'A cell of type string was given to the row digest as bigint.',
  );
});
