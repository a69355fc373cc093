import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../src/iceberg/json-member.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { parseFields } from '../../src/iceberg/type-json.ts';
import { readFileMetadata } from '../../src/parquet/file-metadata.ts';
import { uncovered } from '../../src/parquet/row-group.ts';
import { output } from '../environment/command.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { cellsOf, localFile, readCells } from './local-parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'icecore-parquet-'));
beforeAll(() => {
  const python = pythonEnvironment(join(import.meta.dirname, '../python/arrow.lock'));
  output(python, [join(import.meta.dirname, 'pyarrow_files.py'), folder, join(import.meta.dirname, 'files')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const field = (id: number, name: string, type: Type): NestedField => ({ id, name, type, required: false });
const flatTypes = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'string',
  'binary',
  'fixed[5]',
  'uuid',
  'decimal(7, 2)',
  'decimal(18, 3)',
  'decimal(38, 0)',
] as const;
const flat = flatTypes.map((type, index) => field(index + 1, type, type));
const list = (elementId: number, element: Type): Type => ({ kind: 'list', elementId, element, elementRequired: false });
const struct = (...fields: readonly NestedField[]): Type => ({ kind: 'struct', fields });
const nested = [
  field(100, 'list', list(101, 'int')),
  field(102, 'struct', struct(field(103, 'a', 'long'), field(104, 's', 'string'))),
  field(105, 'lists', list(106, list(107, 'string'))),
  field(108, 'structs', list(109, struct(field(110, 'x', 'double'), field(111, 'tags', list(112, 'string'))))),
  field(113, 'map', { kind: 'map', keyId: 114, key: 'string', valueId: 115, value: 'long', valueRequired: false }),
  field(116, 'deep', struct(field(117, 'inner', struct(field(118, 'v', 'int'))))),
];
const promotedTypes = ['long', 'double', 'decimal(20, 2)', 'timestamp', 'timestamp', 'int'] as const;
const fieldsByKind: Readonly<Record<string, readonly NestedField[]>> = {
  all: [...flat, ...nested],
  old: flat.filter(({ type }) => type !== 'timestamp_ns'),
  promoted: promotedTypes.map((type, index) => field(index + 1, `c${index}`, type)),
  instants: [field(1, 't', 'timestamp')],
};

/** Columns of the type unknown are in no file. */
function withoutUnknown(fields: readonly NestedField[]): readonly NestedField[] {
  return fields.flatMap((each) => {
    const { type } = each;
    if (type === 'unknown') return [];
    return typeof type === 'object' && type.kind === 'struct'
      ? [{ ...each, type: struct(...withoutUnknown(type.fields)) }]
      : [each];
  });
}

it('reads each cell as PyArrow reads it, in every encoding, codec and page version that PyArrow writes, and in files of Spark', async () => {
  const files: readonly { name: string; kind: string; schema?: JsonObject }[] = JSON.parse(
    readFileSync(join(folder, 'files.json'), 'utf8'),
  );
  expect(files.length).toBeGreaterThan(50);
  for (const { name, kind, schema } of files) {
    const fields = schema === undefined ? (fieldsByKind[kind] ?? []) : withoutUnknown(parseFields(schema, name));
    const table = tableFromIPC(readFileSync(join(folder, `${name}.arrow`)));
    const file = await localFile(join(folder, `${name}.parquet`));
    expect(uncovered(await readFileMetadata(file), fields), name).toBeNull();
    const cells = await readCells(file, fields);
    for (const [index, { name: column }] of fields.entries()) {
      const expected = table.getChildAt(index)?.data.flatMap(cellsOf);
      expect(cells[index], `${name}, ${column}`).toEqual(expected);
    }
  }
});
