import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { parseJson } from '../iceberg/json.ts';
import { asArrayOf, asInt, asObject, asString, member, optionalMember } from '../iceberg/json-member.ts';
import { specById, type TableMetadata } from '../iceberg/metadata.ts';
import { printPartitionValue } from '../iceberg/partition-path.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import { isPrimitive, type Literal, type PrimitiveType } from '../iceberg/type.ts';
import { quoteText } from '../sql/quote.ts';
import type { FileColumns } from './read-parquet.ts';
import type { Tables } from './tables.ts';

const property = 'schema.name-mapping.default';

/** How the columns of files without field ids are found, by the file's location; files that have ids are not in it. */
export type FileNames = ReadonlyMap<string, FileColumns>;

const none: FileNames = new Map();

/**
 * Looks into the files of a table that has a name mapping: such a table may hold files that were written before it was one, and have no
 * field ids (spec: "Column Projection", "Name Mapping Serialization"). Without a mapping, columns without an id are in no file.
 */
export async function fileNames(
  tables: Tables,
  metadata: TableMetadata,
  schema: Schema,
  tasks: readonly FileScanTask[],
  path: (location: string) => string,
): Promise<FileNames> {
  const text = metadata.properties[property];
  if (text === undefined || tasks.length === 0) return none;
  const mapping = parseMapping(text);
  const columns = await columnsWithoutIds(
    tables,
    tasks.map(({ file }) => path(file.filePath)),
  );
  const found = new Map<string, FileColumns>();
  for (const { file } of tasks) {
    const names = columns.get(path(file.filePath));
    if (names !== undefined) found.set(file.filePath, columnsOf(file, names, mapping, metadata, schema));
  }
  return found;
}

export function namedColumns(names: FileNames, file: DataFile): { readonly byName?: FileColumns } {
  const byName = names.get(file.filePath);
  return byName === undefined ? {} : { byName };
}

/** Field id to names, of the top level. */
function parseMapping(text: string): ReadonlyMap<number, readonly string[]> {
  const fields = asArrayOf((item, at) => {
    const field = asObject(item, at);
    return { id: optionalMember(field, 'field-id', asInt, at), names: member(field, 'names', asArrayOf(asString), at) };
  })(parseJson(text), property);
  return new Map(fields.flatMap(({ id, names }) => (id === undefined ? [] : [[id, names] as const])));
}

/** The names of the columns of those files that have no field id at all, by local path. Each file is looked into once. */
async function columnsWithoutIds(tables: Tables, paths: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = tables.columnNames;
  const unknown = paths.filter((path) => known.get(path) === undefined);
  const looked = unknown.length === 0 ? new Map<string, readonly string[]>() : await lookInto(tables, unknown);
  for (const path of unknown) known.set(path, looked.get(path) ?? null, path.length + (looked.get(path)?.join().length ?? 0));
  return new Map(
    [...looked, ...paths.flatMap((path) => [known.get(path) ?? []].map((names) => [path, names] as const))].filter(
      ([, names]) => names.length > 0,
    ),
  );
}

/** On the guarded instance: whoever asks may hold one of the trusted one's connections, and would wait for another. */
async function lookInto(tables: Tables, paths: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const list = paths.map(quoteText).join(', ');
  return await tables.duckdb.guarded.use(async (connection) => {
    const reader = await connection.runAndReadAll(
      `SELECT file_name FROM parquet_schema([${list}]) GROUP BY file_name HAVING count(field_id) = 0`,
    );
    const found = new Map<string, readonly string[]>();
    for (const [file] of reader.getRows()) {
      const statement = await connection.prepare(
        `SELECT * FROM read_parquet(${quoteText(String(file))}, hive_partitioning = false)`,
      );
      found.set(
        String(file),
        Array.from({ length: statement.columnCount }, (_, index) => statement.columnName(index)),
      );
      statement.destroySync();
    }
    return found;
  });
}

function columnsOf(
  file: DataFile,
  names: readonly string[],
  mapping: ReadonlyMap<number, readonly string[]>,
  metadata: TableMetadata,
  schema: Schema,
): FileColumns {
  const columns = new Map<number, { readonly name: string } | { readonly constantSql: string }>();
  for (const field of schema.fields) {
    const name = mapping.get(field.id)?.find((candidate) => names.includes(candidate));
    const constantSql = isPrimitive(field.type) ? partitionConstant(file, field.id, field.type, metadata) : null;
    // What the partition says of a file comes before what its columns are called.
    if (constantSql !== null) columns.set(field.id, { constantSql });
    else if (name !== undefined) columns.set(field.id, { name });
  }
  return columns;
}

/** An identity partition's value as SQL; null where the file's spec has none for the column. */
function partitionConstant(file: DataFile, fieldId: number, type: PrimitiveType, metadata: TableMetadata): string | null {
  const fields = specById(metadata, file.specId)?.fields ?? [];
  const index = fields.findIndex((field) => field.sourceId === fieldId && field.transform === 'identity');
  if (index < 0) return null;
  const value: Literal | null = file.partition[index] ?? null;
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The partition of ${file.filePath} is of a binary column, which Icecore does not read yet.`,
    );
  }
  return quoteText(printPartitionValue('identity', type, value));
}
