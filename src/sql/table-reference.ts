import { IcecoreError } from '../errors.ts';
import { parseIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import type { TableReference, TableVersion } from './select.ts';
import { isNode, numberText, type SyntaxNode, type SyntaxValue } from './syntax-tree.ts';

/** Names that mean a file to the engine, not a table. */
const fileName = /[/\\*?]|^[a-z0-9]+:|\.(?:parquet|csv|tsv|json|jsonl|ndjson|txt|db|duckdb|gz|zst|avro|arrow|feather|orc|xlsx)$/i;
const engineSchemas = new Set(['information_schema', 'pg_catalog', 'duckdb', 'system', 'temp', 'memory', 'main']);

/** What a BASE_TABLE node refers to. Throws BAD_USER_INPUT where that cannot be a table of the catalog. */
export function referenceOf(node: SyntaxNode, place: string): TableReference {
  const parts = [String(node.catalog_name), String(node.schema_name), String(node.table_name)] as const;
  const [catalog, schema, name] = parts;
  if (fileName.test(name)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The SELECT may not read the file "${name}" at ${place}. Tables are named namespace.table.`,
    );
  }
  const engineSchema = [catalog, schema].find((part) => engineSchemas.has(part.toLowerCase()));
  if (engineSchema !== undefined) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The SELECT may not read the engine's own schema "${engineSchema}" at ${place}. Tables are named namespace.table.`,
    );
  }
  return { identifier: identifierOf(catalog, schema, name), at: versionOf(node.at_clause ?? null, place), place, parts };
}

/** `"a.b".t` and `a.b.t` are table t of the namespace a.b: SQL has no more than two names before the table's. */
function identifierOf(catalog: string, schema: string, name: string): TableIdentifier {
  const namespace = [catalog, schema].filter((part) => part !== '').flatMap(namespaceParts);
  return { namespace, name };
}

function namespaceParts(text: string): readonly string[] {
  try {
    return parseIdentifier(`${text}.x`).namespace;
  } catch {
    return [text];
  }
}

function versionOf(clause: SyntaxValue, place: string): TableVersion | null {
  if (!isNode(clause)) return null;
  const isVersion = clause.unit === 'VERSION';
  const constant = literalOf(clause.expr ?? null);
  const number = isNode(constant) ? integerOf(constant) : undefined;
  const text = isNode(constant) && typeof constant.value === 'string' ? constant.value : undefined;
  if (isVersion && number !== undefined && number > 0n) return { kind: 'snapshot', snapshotId: number };
  if (isVersion && text !== undefined) return { kind: 'ref', name: text };
  if (clause.unit === 'TIMESTAMP' && text !== undefined) return { kind: 'timestamp', text };
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `AT takes a literal at ${place}: write AT (VERSION => 123), AT (VERSION => 'tag') or AT (TIMESTAMP => '2001-01-01 00:00:00').`,
  );
}

/** The constant of a literal, also of one such as TIMESTAMP '2001-01-01'. */
function literalOf(expression: SyntaxValue): SyntaxValue {
  if (!isNode(expression)) return null;
  if (expression.class === 'CAST') return literalOf(expression.child ?? null);
  return expression.class === 'CONSTANT' ? (expression.value ?? null) : null;
}

function integerOf(constant: SyntaxNode): bigint | undefined {
  const typeId = isNode(constant.type) ? constant.type.id : undefined;
  if (typeId !== 'INTEGER' && typeId !== 'BIGINT') return undefined;
  const text = numberText(constant.value);
  return text === undefined ? undefined : BigInt(text);
}
