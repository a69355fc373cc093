import { IcecoreError } from '../errors.ts';
import type { NestedField } from '../iceberg/type.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { deleteFilters, type EqualityColumn, type FileDeletes } from './delete-filter.ts';
import type { FileColumns } from './file-columns.ts';
import { initialDefaultSql } from './initial-default.ts';
import type { KeyColumn } from './key-column.ts';
import { type FileLineage, lineageFields, lineageSql } from './row-lineage.ts';

/** Under these names a scan gives where a row lies, besides the table's columns. */
export const fileColumn = '__icecore_file';
export const rowColumn = '__icecore_row';

/** A file on the local disk, and what is deleted from it. */
export interface ParquetSource extends FileDeletes {
  /** For `withLineage`. */
  readonly lineage?: FileLineage;
  /** Set for a file whose columns are not simply found by field id. */
  readonly byName?: FileColumns;
}

export interface ReadParquetOptions {
  /** Also `_row_id` and `_last_updated_sequence_number`, of a table of format version 3. */
  readonly withLineage?: boolean;
  /** Where equality deletes are by fields that are no columns that are read: the field of an id. Throws where there is none. */
  readonly keyById?: (fieldId: number) => KeyColumn;
  /** Also `__icecore_file` (the local path) and `__icecore_row` (the position in the file, from 0). */
  readonly withPosition?: boolean;
}

/**
 * A SELECT over Parquet files that gives the fields, by field id, under their names of now: what was renamed is found, what a file
 * does not have is its initial default or null (spec: "Column Projection"), and what is deleted is left out. Rows come in the order of the
 * files where all have field ids and none has deletes.
 */
export function readParquetSql(
  sources: readonly ParquetSource[],
  fields: readonly NestedField[],
  options: ReadParquetOptions = {},
): string {
  const { withPosition = false, withLineage = false } = options;
  if (sources.length === 0) {
    const nulls = fields.map((field) => `CAST(NULL AS ${duckDbTypeText(field.type)}) AS ${quoteIdentifier(field.name)}`);
    const positions = withPosition ? [`NULL::VARCHAR AS ${fileColumn}`, `NULL::BIGINT AS ${rowColumn}`] : [];
    const lineage = withLineage ? lineageFields.map(({ name }) => `NULL::BIGINT AS ${name}`) : [];
    return `SELECT ${list([...nulls, ...positions, ...lineage])} WHERE false`;
  }
  const groups = Map.groupBy(sources, ({ byName }) => (byName === undefined ? '' : JSON.stringify([...byName])));
  const selects = [...groups.values()].map((group) => {
    const byName = group[0]?.byName;
    const keys = keyFields(group, fields, options);
    const { columns, from, file, cell } =
      byName === undefined
        ? readById(group, fields, [...keyColumns(keys), ...(withLineage ? lineageFields : [])])
        : readByName(group, fields, byName);
    const positions = withPosition ? [`${file} AS ${fileColumn}`, `file_row_number AS ${rowColumn}`] : [];
    const filters = deleteFilters(group, file, (fieldId) => equalityColumn(requireKey(keys, fieldId), cell));
    const where = filters.length === 0 ? '' : ` WHERE ${filters.join(' AND ')}`;
    const stored = ({ id }: NestedField): string => (byName === undefined ? `data.c${id}` : (byName.get(id) ?? 'NULL::BIGINT'));
    const lineage = withLineage ? lineageSql(group.flatMap(withOwnLineage), file, stored) : { columns: [], join: '' };
    return `SELECT ${list([...columns, ...positions, ...lineage.columns])} FROM ${from} AS data${lineage.join}${where}`;
  });
  return selects.join(' UNION ALL ');
}

function withOwnLineage({ path, lineage }: ParquetSource) {
  return lineage === undefined ? [] : [{ path, lineage }];
}

/** A SELECT needs a column, also where nothing but rows is asked for. */
function list(columns: readonly string[]): string {
  return columns.length === 0 ? 'NULL AS __icecore_nothing' : columns.join(', ');
}

function pathList(sources: readonly ParquetSource[]): string {
  return `[${sources.map((source) => quoteText(source.path)).join(', ')}]`;
}

/**
 * The position comes from the reader's virtual columns: with its options of the same names, DuckDB 1.5.5 fails on a file that has any
 * column without a field id, and takes the whole instance down with it.
 */
function readById(sources: readonly ParquetSource[], fields: readonly NestedField[], besides: readonly NestedField[]) {
  // Inside, columns have names that no table's column can clash with: not the reader's own, and not in another case.
  const inner = (field: NestedField) => (field.type === 'unknown' ? 'CAST(NULL AS INTEGER)' : `c${field.id}`);
  const unread = besides.filter(({ id }) => !fields.some((field) => field.id === id));
  return {
    columns: fields.map((field) => `${inner(field)} AS ${quoteIdentifier(field.name)}`),
    from: `read_parquet(${pathList(sources)}, schema = ${columnMap([...fields, ...unread])}, hive_partitioning = false)`,
    file: 'data.filename',
    cell: (field: NestedField) => (field.type === 'unknown' ? inner(field) : `data.${inner(field)}`),
  };
}

function readByName(sources: readonly ParquetSource[], fields: readonly NestedField[], byName: FileColumns) {
  const inner = (field: NestedField) => {
    return byName.get(field.id) ?? initialDefaultSql(field);
  };
  const cell = (field: NestedField) => `CAST(${inner(field)} AS ${duckDbTypeText(field.type)})`;
  return {
    columns: fields.map((field) => `${cell(field)} AS ${quoteIdentifier(field.name)}`),
    // The file's own columns have their own names here, `filename` perhaps; a column of ours has none that they have.
    from: `read_parquet(${pathList(sources)}, hive_partitioning = false, filename = '__icecore_path')`,
    file: 'data.__icecore_path',
    cell,
  };
}

/** The fields that equality deletes are by, by field id. */
function keyFields(
  sources: readonly ParquetSource[],
  fields: readonly NestedField[],
  { keyById }: ReadParquetOptions,
): ReadonlyMap<number, KeyColumn> {
  const ids = new Set(sources.flatMap(({ equalityDeletes = [] }) => equalityDeletes.flatMap(({ fieldIds }) => fieldIds)));
  const found = [...ids].flatMap((id) => {
    const field = fields.find((each) => each.id === id);
    return field === undefined ? (keyById?.(id) ?? []) : { field, column: field, path: [] };
  });
  return new Map(found.map((key) => [key.field.id, key]));
}

/** The columns to read for them, each once. */
function keyColumns(keys: ReadonlyMap<number, KeyColumn>): Iterable<NestedField> {
  return new Map([...keys.values()].map(({ column }) => [column.id, column])).values();
}

function requireKey(keys: ReadonlyMap<number, KeyColumn>, fieldId: number): KeyColumn {
  const key = keys.get(fieldId);
  if (key !== undefined) return key;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `Equality deletes are by the field ${fieldId}, which no schema of the table has.`,
  );
}

function equalityColumn({ field, column, path }: KeyColumn, cell: (field: NestedField) => string): EqualityColumn {
  const name = `c${field.id}`;
  const dataSql = path.reduce((struct, member) => `struct_extract(${struct}, ${quoteText(member)})`, cell(column));
  return { name, byId: columnEntry(field.id, duckDbTypeText(field.type), initialDefaultSql(field)), dataSql };
}

function columnMap(fields: readonly NestedField[]): string {
  const known = fields.filter((field) => field.type !== 'unknown');
  const entries = known.map((field) => columnEntry(field.id, duckDbTypeText(field.type), initialDefaultSql(field)));
  // A reader needs a column, also where only rows are counted; this one is in no file.
  if (entries.length === 0) entries.push(columnEntry(2147483447, 'INTEGER', 'NULL'));
  return `MAP {${entries.join(', ')}}`;
}

/** The entries of one map have one type, and so their defaults: text, which the reader casts. */
function columnEntry(id: number, type: string, initial: string): string {
  return `${id}: {name: 'c${id}', type: ${quoteText(type)}, default_value: CAST(${initial} AS VARCHAR)}`;
}
