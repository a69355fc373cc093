import { type DuckDBConnection, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { PartitionSpec } from '../iceberg/partition-spec.ts';
import { childFields, fieldById, isSingleValued, type Schema } from '../iceberg/schema.ts';
import { bindTransform, canTransform, parseTransform, transformResultType } from '../iceberg/transform.ts';
import type { Literal, NestedField, PrimitiveType } from '../iceberg/type.ts';

import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { parsePartitionText, partitionTextSql, printPartitionText } from './partition-text.ts';

/** A hidden column that DuckDB partitions its output by: the text of one partition field's value. */
export interface PartitionColumn {
  readonly name: string;
  readonly resultType: PrimitiveType;
  /** Over the table's columns; null for null. */
  readonly valueSql: string;
  /** The same, short enough for the name of a directory, and never empty. */
  readonly directorySql: string;
}

/** Longer texts make no directory: their hash does, and the value is read back from the file. */
const directoryTextMax = 60;

/** The hidden columns of a spec's fields, in order. Registers on the connection what SQL alone cannot compute. Throws FAILED_PRECONDITION. */
export function partitionColumns(connection: DuckDBConnection, schema: Schema, spec: PartitionSpec): readonly PartitionColumn[] {
  return spec.fields.map((field, index) => {
    const source = fieldById(schema, field.sourceId);
    const isWritable = source !== undefined && isSingleValued(schema, source.id);
    const transform = parseTransform(field.transform);
    if (transform.kind === 'void' && source === undefined) return constantNull(index);
    if (!isWritable || !canTransform(transform, source.type)) {
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `Partition field "${field.name}" (${field.transform} of field ${field.sourceId}) cannot be written: ` +
          'Icecore writes identity, bucket, truncate, year, month, day, hour and void of columns and of fields of structs. Change the partitioning.',
      );
    }
    if (transform.kind === 'void') return constantNull(index);
    const resultType = transformResultType(field.transform, source.type);
    const valueSql = transformSql(connection, field.transform, source.type, fieldSql(schema, source.id));
    return { name: hiddenName(index), resultType, valueSql, directorySql: directorySql(valueSql, resultType) };
  });
}

/** SQL of a column, or of a field of a struct: null where the struct is. */
export function fieldSql(schema: Schema, fieldId: number): string {
  const [column, ...rest] = fieldsTo(schema.fields, fieldId) ?? [];
  return rest.reduce((sql, { name }) => `struct_extract(${sql}, ${quoteText(name)})`, quoteIdentifier(column?.name ?? ''));
}

/** The way down to a field, from its column on; null where it is not among these. */
function fieldsTo(fields: readonly NestedField[], fieldId: number): readonly NestedField[] | null {
  for (const field of fields) {
    if (field.id === fieldId) return [field];
    const inner = fieldsTo(childFields(field.type), fieldId);
    if (inner !== null) return [field, ...inner];
  }
  return null;
}

/** The value that a hidden column's text in a directory stands for; undefined where only its hash is there. */
export function partitionValue(column: PartitionColumn, directoryText: string | null): Literal | null | undefined {
  if (directoryText === null) return null;
  return directoryText.startsWith('v') ? parsePartitionText(column.resultType, directoryText.slice(1)) : undefined;
}

function hiddenName(index: number): string {
  return `__icecore_partition_${index}`;
}

function constantNull(index: number): PartitionColumn {
  return { name: hiddenName(index), resultType: 'string', valueSql: 'NULL::VARCHAR', directorySql: 'NULL::VARCHAR' };
}

function directorySql(valueSql: string, resultType: PrimitiveType): string {
  const isLong = resultType === 'string' || resultType === 'binary' || resultType.startsWith('fixed');
  if (!isLong) return `'v' || ${valueSql}`;
  return `CASE WHEN length(${valueSql}) > ${directoryTextMax} THEN 'h' || md5(${valueSql}) ELSE 'v' || ${valueSql} END`;
}

/** Text of the transform's result. Exact for every value: floors below the epoch, and counts code points. */
export function transformSql(connection: DuckDBConnection, text: string, type: PrimitiveType, column: string): string {
  const transform = parseTransform(text);
  switch (transform.kind) {
    case 'identity':
      return partitionTextSql(type, column);
    case 'year':
    case 'month':
    case 'day':
    case 'hour': {
      if (type.endsWith('_ns')) break;
      // A date or a timestamp without zone counts as UTC; a zoned one is taken there, whatever the session's zone is.
      const utc = type === 'timestamptz' ? `make_timestamp(epoch_us(${column}))` : column;
      const epoch = type === 'date' ? "DATE '1970-01-01'" : "TIMESTAMP '1970-01-01'";
      return `CAST(date_diff('${transform.kind}', ${epoch}, ${utc}) AS VARCHAR)`;
    }
    case 'truncate':
      if (type === 'string') return `left(${column}, ${transform.width})`;
      break;
    default:
  }
  return `${registerTransform(connection, text, type)}(${partitionTextSql(type, column)})`;
}

const registered = new WeakMap<DuckDBConnection, Set<string>>();

function registerTransform(connection: DuckDBConnection, text: string, type: PrimitiveType): string {
  const name = `icecore_transform_${Buffer.from(`${text} ${type}`).toString('hex')}`;
  const known = registered.get(connection) ?? new Set<string>();
  if (known.has(name)) return name;
  const transform = bindTransform(text, type);
  const resultType = transformResultType(text, type);
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: [VARCHAR],
      returnType: VARCHAR,
      mainFunction: (_info, input, output) => {
        const values = input.getColumnVector(0);
        for (let row = 0; row < input.rowCount; row++) {
          const value = values.getItem(row);
          const result = value === null ? null : transform(parsePartitionText(type, String(value)));
          output.setItem(row, result === null ? null : printPartitionText(resultType, result));
        }
        output.flush();
      },
    }),
  );
  registered.set(connection, known.add(name));
  return name;
}
