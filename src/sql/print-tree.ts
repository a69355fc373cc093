import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { isNode, numberText, parseTree, type SyntaxNode, type SyntaxValue, scalar } from './syntax-tree.ts';

/** A literal cast to a type: `CAST('t' AS BOOLEAN)`. */
function castOf(node: SyntaxNode, text: string, typeId: string): SyntaxNode {
  const value = { type: { id: 'VARCHAR', type_info: null }, is_null: false, value: text };
  return {
    class: 'CAST',
    type: 'OPERATOR_CAST',
    alias: node.alias ?? '',
    child: { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', value },
    cast_type: { id: typeId, type_info: null },
    try_cast: false,
  };
}

/** The type and the value of a constant that is not null; undefined for any other node. */
function constantOf(node: SyntaxNode): { readonly typeId: SyntaxValue | undefined; readonly value: SyntaxValue } | undefined {
  if (node.class !== 'CONSTANT' || !isNode(node.value) || node.value.is_null !== false || !isNode(node.value.type))
    return undefined;
  return { typeId: node.value.type.id, value: node.value.value ?? null };
}

/**
 * The engine prints the double 1000.0 so that it is read as a decimal, which counts otherwise: a cast keeps it a double.
 */
function printable(node: SyntaxNode): SyntaxNode {
  const constant = constantOf(node);
  const text = constant?.typeId === 'DOUBLE' ? numberText(constant.value) : undefined;
  return text === undefined ? node : castOf(node, text, 'DOUBLE');
}

/** Two trees that mean the same become one: the engine reads `true` back as a cast, and VALUES as a subquery of itself. */
function canonical(node: SyntaxNode): SyntaxNode {
  const constant = constantOf(node);
  if (constant?.typeId === 'BOOLEAN') return castOf(node, constant.value === true ? 't' : 'f', 'BOOLEAN');
  if (node.type !== 'SUBQUERY' || node.alias !== 'valueslist' || !isNode(node.subquery) || !isNode(node.subquery.node))
    return node;
  const { from_table: values } = node.subquery.node;
  return isNode(values) && values.type === 'EXPRESSION_LIST' && values.alias === 'valueslist' ? values : node;
}

/** Rebuilds a tree from its leaves up. */
export function mapTree(value: SyntaxValue, map: (node: SyntaxNode) => SyntaxNode): SyntaxValue {
  if (Array.isArray(value)) return value.map((item) => mapTree(item, map));
  if (!isNode(value) || 'rawJSON' in value) return value;
  return map(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mapTree(member, map)])));
}

/** Members that do not change what a statement means: places, and hints on when a CTE is computed. */
const immaterial = new Set(['query_location', 'materialized']);

function comparable(tree: SyntaxValue): string {
  return JSON.stringify(mapTree(tree, canonical), (key, value) => (immaterial.has(key) ? undefined : value));
}

/**
 * The SQL text of a tree. It is read again and compared, so that what runs is what was checked. Throws BAD_USER_INPUT where the
 * engine cannot print the tree faithfully.
 */
export async function printSyntaxTree(connection: DuckDBConnection, tree: SyntaxNode): Promise<string> {
  const unprintable = (cause?: unknown) =>
    new IcecoreError(
      'BAD_USER_INPUT',
      'The statement uses a construct that the engine cannot rewrite. Write it in plainer SQL.',
      {
        cause,
      },
    );
  const ready = mapTree(tree, printable);
  let text: string;
  try {
    text = await scalar(connection, 'SELECT json_deserialize_sql($1::JSON)', JSON.stringify(ready));
  } catch (cause) {
    throw unprintable(cause);
  }
  const again = await scalar(connection, 'SELECT json_serialize_sql($1::VARCHAR)', text);
  if (comparable(parseTree(again)) !== comparable(ready)) throw unprintable();
  return text;
}
