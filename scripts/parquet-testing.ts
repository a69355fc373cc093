/**
 * Reads the files of a folder, such as those of github.com/apache/parquet-testing, with Icecore's own Parquet reader, column by column, and has PyArrow compare what
 * it read with what PyArrow reads: `node scripts/parquet-testing.ts FOLDER`. Prints a line for each file that is not read whole, and counts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeData, RecordBatch, Struct } from 'apache-arrow';
import { arrowSchema } from '../src/arrow/arrow-type.ts';
import { oneBatchStream } from '../src/arrow/ipc.ts';
import type { NestedField, PrimitiveType, Type } from '../src/iceberg/type.ts';
import { type FileMetadata, type ParquetFile, readFileMetadata } from '../src/parquet/file-metadata.ts';
import { readRowGroup } from '../src/parquet/row-group.ts';
import type { SchemaNode } from '../src/parquet/schema-node.ts';
import { pythonEnvironment } from '../test/environment/python.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Name the folder of the files.');
const out = await mkdtemp(join(tmpdir(), 'icecore-parquet-testing-'));

let nextId = 1;

/** The same column with an id on everything in it, and the Iceberg type that fits it; null where none does. */
function identified(node: SchemaNode): { readonly node: SchemaNode; readonly field: NestedField } | null {
  const id = nextId++;
  const field = (type: Type): NestedField => ({ id, name: node.name, type, required: false });
  if (node.leaf !== null) {
    const type = leafType(node);
    return type === null ? null : { node: { ...node, fieldId: id }, field: field(type) };
  }
  const kind = node.annotation?.kind;
  const [repeated] = node.children;
  if ((kind === 'list' || kind === 'map') && repeated?.repetition === 'REPEATED') {
    const isTwoLevel =
      kind === 'list' && (repeated.children.length !== 1 || repeated.name === 'array' || repeated.name === `${node.name}_tuple`);
    const inner = isTwoLevel ? identified(repeated) : null;
    if (inner !== null) {
      const type: Type = { kind: 'list', elementId: inner.field.id, element: inner.field.type, elementRequired: false };
      return { node: { ...node, fieldId: id, children: [inner.node] }, field: field(type) };
    }
    const children = repeated.children.map(identified);
    const [first, second] = children;
    if (first == null || second === null || (kind === 'map') !== (second !== undefined)) return null;
    const below = { ...repeated, children: children.flatMap((child) => (child === null ? [] : [child.node])) };
    const type: Type =
      second === undefined
        ? { kind: 'list', elementId: first.field.id, element: first.field.type, elementRequired: false }
        : {
            kind: 'map',
            keyId: first.field.id,
            key: first.field.type,
            valueId: second.field.id,
            value: second.field.type,
            valueRequired: false,
          };
    return { node: { ...node, fieldId: id, children: [below] }, field: field(type) };
  }
  const children = node.children.map(identified);
  if (children.includes(null)) return null;
  const found = children.flatMap((child) => (child === null ? [] : [child]));
  const type: Type = { kind: 'struct', fields: found.map((child) => child.field) };
  return { node: { ...node, fieldId: id, children: found.map((child) => child.node) }, field: field(type) };
}

function leafType({ leaf, annotation }: SchemaNode): PrimitiveType | null {
  switch (annotation?.kind) {
    case 'text':
      return 'string';
    case 'date':
      return 'date';
    case 'uuid':
      return 'uuid';
    case 'decimal':
      return `decimal(${annotation.precision}, ${annotation.scale})`;
    case 'time':
      return 'time';
    case 'timestamp':
      return annotation.unit === 'nanos' ? 'timestamp_ns' : 'timestamp';
    case 'other':
      return null;
  }
  switch (leaf?.physical) {
    case 'BOOLEAN':
      return 'boolean';
    case 'INT32':
      return 'int';
    case 'INT64':
      return 'long';
    case 'INT96':
      return 'timestamp';
    case 'FLOAT':
      return 'float';
    case 'DOUBLE':
      return 'double';
    case 'FIXED_LEN_BYTE_ARRAY':
      return `fixed[${leaf.length}]`;
    default:
      return 'binary';
  }
}

const notes: string[] = [];
const columns: { file: string; column: number; path: string }[] = [];
for (const name of (await readdir(folder)).filter((each) => each.endsWith('.parquet')).sort()) {
  const bytes = await readFile(join(folder, name));
  const file: ParquetFile = {
    location: name,
    sizeBytes: bytes.length,
    read: ({ start, end }) => Promise.resolve(bytes.subarray(start, end)),
  };
  let metadata: FileMetadata;
  try {
    metadata = await readFileMetadata(file);
  } catch (error) {
    notes.push(`${name}: ${String(error)}`);
    continue;
  }
  for (const [index, column] of metadata.columns.entries()) {
    const found = identified(column);
    if (found === null) {
      notes.push(`${name}, ${column.name}: no Iceberg type`);
      continue;
    }
    try {
      const schema = arrowSchema([found.field]);
      const streams: Buffer[] = [];
      for (const [group, { rowCount }] of metadata.rowGroups.entries()) {
        const [data] = await readRowGroup(file, { ...metadata, columns: [found.node] }, group, [found.field]);
        if (data == null) throw new Error('not found');
        const struct = makeData({ type: new Struct(schema.fields), length: rowCount, nullCount: 0, children: [data] });
        streams.push(Buffer.from(oneBatchStream(new RecordBatch(schema, struct))));
      }
      const path = join(out, `${columns.length}`);
      for (const [group, stream] of streams.entries()) await writeFile(`${path}.${group}`, stream);
      columns.push({ file: join(folder, name), column: index, path });
    } catch (error) {
      notes.push(`${name}, ${column.name}: ${String(error)}`);
    }
  }
}
await writeFile(join(out, 'columns.json'), JSON.stringify(columns));
const python = pythonEnvironment(join(import.meta.dirname, '../test/python/arrow.lock'));
const compared = execFileSync(python, [join(import.meta.dirname, 'compare_columns.py'), join(out, 'columns.json')], {
  encoding: 'utf8',
});
process.stdout.write(`${notes.join('\n')}\n${compared}`);
await rm(out, { recursive: true });
