import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { sqlStatementBytesMax } from '../limits.ts';

/** A node of DuckDB's syntax tree, as `json_serialize_sql` prints it. */
export interface SyntaxNode {
  readonly [member: string]: SyntaxValue;
}
export type SyntaxValue = string | number | boolean | null | SyntaxNode | readonly SyntaxValue[];

interface RawJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): SyntaxNode;
}
const rawJson = JSON as unknown as RawJson;

/** Every number is printed again as it was read: longs beyond 2^53 and doubles such as 1000.0 stay what they were. */
export function parseTree(text: string): SyntaxValue {
  try {
    return rawJson.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson.rawJSON(source) : value,
    ) as SyntaxValue;
  } catch (cause) {
    // The engine prints an infinite double as `Infinity`, which no JSON has.
    throw new IcecoreError('BAD_USER_INPUT', 'The statement holds a number that no double can hold. Write a smaller one.', {
      cause,
    });
  }
}

export function isNode(value: SyntaxValue | undefined): value is SyntaxNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text of a number in the tree, also of one that no double holds; undefined where it is none. */
export function numberText(value: SyntaxValue | undefined): string | undefined {
  if (typeof value === 'number') return String(value);
  return isNode(value) && typeof value.rawJSON === 'string' ? value.rawJSON : undefined;
}

/** Where a node begins: a byte of the statement's UTF-8; null where the parser did not keep it. */
export function byteLocation(node: SyntaxNode): number | null {
  return typeof node.query_location === 'number' ? node.query_location : null;
}

export async function scalar(connection: DuckDBConnection, sql: string, parameter: string): Promise<string> {
  const reader = await connection.runAndReadAll(sql, [parameter]);
  return String(reader.getRows()[0]?.[0]);
}

/** Line and column, both from 1, of a byte of the statement. */
export function placeOf(statement: string, byte: number): string {
  const before = Buffer.from(statement).subarray(0, byte).toString().split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/**
 * The tree of the one SELECT in a text. Throws BAD_USER_INPUT with the place of a syntax error, and where the text holds no
 * statement, several, or another kind than SELECT.
 */
export async function parseSyntaxTree(connection: DuckDBConnection, statement: string): Promise<SyntaxNode> {
  if (Buffer.byteLength(statement) > sqlStatementBytesMax) {
    throw new IcecoreError('BAD_USER_INPUT', `The statement is longer than the ${sqlStatementBytesMax} bytes allowed.`);
  }
  // The engine reads text up to a zero byte, so what is behind one would not be looked at.
  if (statement.includes('\0')) throw new IcecoreError('BAD_USER_INPUT', 'The statement holds a zero character. Take it out.');
  const tree = parseTree(await scalar(connection, 'SELECT json_serialize_sql($1::VARCHAR)', statement));
  if (!isNode(tree)) throw new IcecoreError('INTERNAL', 'The engine printed no syntax tree.');
  if (tree.error !== false) throw new IcecoreError('BAD_USER_INPUT', refusal(statement, tree));
  const statements = tree.statements;
  if (!Array.isArray(statements) || statements.length !== 1) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Exactly one SELECT is taken, and this is ${Array.isArray(statements) && statements.length > 1 ? 'several' : 'none'}.`,
    );
  }
  return tree;
}

export const cannotBeRead = 'The statement cannot be read';

function refusal(statement: string, tree: SyntaxNode): string {
  const message = String(tree.error_message);
  if (/only select statements/i.test(message)) return 'Only a SELECT can be run here; data is written through the mutations.';
  const position = tree.position === undefined ? Number.NaN : Number(tree.position);
  const where = Number.isInteger(position) ? ` at ${placeOf(statement, position)}` : '';
  return `${cannotBeRead}${where}: ${message}.`;
}
