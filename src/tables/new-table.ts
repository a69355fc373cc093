import { randomUUID } from 'node:crypto';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { newTableMetadata } from '../iceberg/new-metadata.ts';
import { buildPartitionSpec, type PartitionInput } from '../iceberg/partition-spec.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { NestedField } from '../iceberg/type.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import { newTableLocation } from './table-location.ts';

export interface ColumnDefinition {
  readonly name: string;
  /** An Iceberg type as text: `long`, `list<double>`, `decimal(10, 2)`. */
  readonly type: string;
  readonly required?: boolean;
  readonly doc?: string;
}

export interface TableDefinition {
  readonly columns: readonly ColumnDefinition[];
  readonly partitionBy?: readonly PartitionInput[];
  readonly properties?: Readonly<Record<string, string>>;
  /** 2 where left out. */
  readonly formatVersion?: 1 | 2 | 3;
  /** Below the warehouse where left out. */
  readonly location?: string;
  /** A new one where left out. */
  readonly uuid?: string;
}

/** What properties say where the definition does not: zstd, as Iceberg's own default is. */
const defaultProperties = { 'write.parquet.compression-codec': 'zstd' };

/** The schema of such columns, ids level by level from 1. Throws BAD_USER_INPUT naming the column. */
export function schemaOf(columns: readonly ColumnDefinition[]): Schema {
  if (columns.length === 0) throw new IcecoreError('BAD_USER_INPUT', 'A table needs at least one column.');
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The columns "${twin}" and "${name}" differ in nothing but case, which SQL does not tell apart.`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
  let lastId = columns.length;
  const fields = columns.map(
    ({ name, type, required, doc }, index): NestedField => ({
      id: index + 1,
      name,
      type: columnType(name, type, () => ++lastId),
      required: required ?? false,
      ...(doc === undefined ? {} : { doc }),
    }),
  );
  return { schemaId: 0, fields, identifierFieldIds: [] };
}

function columnType(column: string, text: string, assignId: () => number): NestedField['type'] {
  try {
    return parseTypeText(text, assignId);
  } catch (error) {
    if (!(error instanceof IcecoreError)) throw error;
    throw new IcecoreError(error.code, `Column "${column}": ${error.message}`, { cause: error, context: { column } });
  }
}

/** The metadata a new table begins with. Throws BAD_USER_INPUT for a column, type or partition field that cannot be. */
export function beginTable(
  identifier: TableIdentifier,
  definition: TableDefinition,
  options: { readonly warehouse: string; readonly nowMs: number },
): TableMetadata {
  if (identifier.namespace.length === 0) {
    throw new IcecoreError('BAD_USER_INPUT', `"${printIdentifier(identifier)}" has no namespace; name it like raw.flights.`);
  }
  const uuid = definition.uuid ?? randomUUID();
  const schema = schemaOf(definition.columns);
  return newTableMetadata({
    uuid,
    location: definition.location ?? newTableLocation(options.warehouse, identifier, uuid),
    schema,
    partitionSpec: buildPartitionSpec(schema, definition.partitionBy ?? []),
    properties: { ...defaultProperties, ...definition.properties },
    formatVersion: definition.formatVersion ?? 2,
    nowMs: options.nowMs,
  });
}
