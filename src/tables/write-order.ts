import type { DuckDBConnection } from '@duckdb/node-api';
import { defaultSortOrder, type TableMetadata } from '../iceberg/metadata.ts';
import { fieldById, isSingleValued, type Schema } from '../iceberg/schema.ts';
import { transformResultType } from '../iceberg/transform.ts';
import { fieldSql, transformSql } from './partition-columns.ts';

export interface WriteOrder {
  /** For ORDER BY. */
  readonly sql: string;
  readonly sortOrderId: number;
}

/** The order that a table wants its rows written in (spec: "Sorting"); null for none, or one by a column that is gone, or in a list or map. */
export function writeOrder(connection: DuckDBConnection, metadata: TableMetadata, schema: Schema): WriteOrder | null {
  const { fields, orderId } = defaultSortOrder(metadata);
  if (fields.length === 0) return null;
  const terms: string[] = [];
  for (const { sourceId, transform, direction, nullOrder } of fields) {
    const source = fieldById(schema, sourceId);
    if (source === undefined || typeof source.type !== 'string' || !isSingleValued(schema, sourceId)) return null;
    const column = fieldSql(schema, sourceId);
    const nulls = nullOrder === 'nulls-first' ? 'NULLS FIRST' : 'NULLS LAST';
    const isNumber = transform !== 'identity' && transformResultType(transform, source.type) !== 'string';
    const text = transform === 'identity' ? column : transformSql(connection, transform, source.type, column);
    terms.push(`${isNumber ? `TRY_CAST(${text} AS HUGEINT)` : text} ${direction === 'asc' ? 'ASC' : 'DESC'} ${nulls}`);
  }
  return { sql: terms.join(', '), sortOrderId: orderId };
}
