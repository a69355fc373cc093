import type { DuckDBConnection } from '@duckdb/node-api';
import type { Expression, UnboundLiteral } from '../iceberg/expression.ts';
import type { NestedField, Type } from '../iceberg/type.ts';
import { keyValuesPrunedMax } from '../limits.ts';
import { cellJson } from '../sql/cell-json.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** Types whose values come back as literals without a doubt; the others prune nothing. */
const pruned: ReadonlySet<Type> = new Set(['int', 'long', 'string', 'date', 'timestamp', 'timestamptz']);

/**
 * A predicate that holds for every row that has the key of one of a relation's rows: by each key column its values where they are few,
 * else their range. It leaves out files, it selects no rows.
 */
export async function keyPredicate(
  connection: DuckDBConnection,
  relation: string,
  keys: readonly NestedField[],
): Promise<Expression> {
  let predicate: Expression = { op: 'true' };
  for (const key of keys) {
    if (!pruned.has(key.type)) continue;
    const condition = await columnPredicate(connection, relation, key);
    if (condition !== null) predicate = { op: 'and', left: predicate, right: condition };
  }
  return predicate;
}

async function columnPredicate(connection: DuckDBConnection, relation: string, key: NestedField): Promise<Expression | null> {
  const name = quoteIdentifier(key.name);
  const range = await connection.runAndReadAll(
    `SELECT min(${name}), max(${name}), count(*) - count(${name}) FROM ${relation} AS given`,
  );
  const [min, max, nulls] = range.getRows()[0] ?? [];
  if (min === undefined || min === null || max === undefined || max === null || nulls !== 0n) return null;
  const few = await connection.runAndReadAll(`SELECT DISTINCT ${name} FROM ${relation} AS given LIMIT ${keyValuesPrunedMax + 1}`);
  const values = few.getRows().map(([value]) => literal(cellJson(value ?? null, key.type), key.type));
  const column = key.name;
  if (values.length <= keyValuesPrunedMax) return { op: 'in', column, literals: values };
  return {
    op: 'and',
    left: { op: 'gt-eq', column, literal: literal(cellJson(min, key.type), key.type) },
    right: { op: 'lt-eq', column, literal: literal(cellJson(max, key.type), key.type) },
  };
}

function literal(value: unknown, type: Type): UnboundLiteral {
  return type === 'long' || type === 'int' ? BigInt(String(value)) : String(value);
}
