import { IcecoreError } from '../errors.ts';
import type { Term, UnboundLiteral } from './expression.ts';
import { asInt, asObject, asString, type JsonObject, member } from './json-member.ts';

/** A side of a predicate: a column or a transform of one, or a value. */
export type ExpressionTerm =
  | { readonly kind: 'column'; readonly term: Term }
  | { readonly kind: 'literal'; readonly literal: UnboundLiteral };

/** Gives a column's name by its id, for references by id; undefined where there is none. */
export type ColumnNames = (fieldId: number) => string | undefined;

/** One side of a predicate from its JSON (REST specification: `ValueExpression`, `Term`). Throws BAD_USER_INPUT. */
export function parseTerm(json: unknown, columnName: ColumnNames, where: string): ExpressionTerm {
  const type = typeOf(json);
  if (type !== 'transform' && type !== 'apply') return parseAtom(json, columnName, where);
  const object = asObject(json, where);
  if (type === 'apply') return parseApply(object, columnName, where);
  const { column } = columnTerm(parseAtom(object.term, columnName, `${where}.term`), `${where}.term`);
  return { kind: 'column', term: { column, transform: member(object, 'transform', asString, where) } };
}

/** A column or a value. Functions of functions are no partition transform, so nothing nests here. */
function parseAtom(json: unknown, columnName: ColumnNames, where: string): ExpressionTerm {
  if (typeof json === 'string') return { kind: 'column', term: { column: json } };
  const type = typeOf(json);
  if (type === undefined || type === 'literal') return { kind: 'literal', literal: parseLiteral(json, where) };
  if (type === 'reference') {
    return { kind: 'column', term: { column: parseReference(asObject(json, where), columnName, where) } };
  }
  throw new IcecoreError('BAD_USER_INPUT', `${where}: there can be no ${String(type)} here: name a column or write a literal.`);
}

function typeOf(json: unknown): unknown {
  return typeof json === 'object' && json !== null && 'type' in json ? json.type : undefined;
}

/** A bare value, or `{"type": "literal", "value": …}`. Throws BAD_USER_INPUT. */
export function parseLiteral(json: unknown, where: string): UnboundLiteral {
  const value = typeof json === 'object' && json !== null && typeOf(json) === 'literal' && 'value' in json ? json.value : json;
  switch (typeof value) {
    case 'boolean':
    case 'number':
    case 'bigint':
    case 'string':
      return value;
    default:
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `${where} must be a literal. Null is compared by "is-null"; NaN by "is-nan"; infinities have no form in JSON.`,
      );
  }
}

/** Throws BAD_USER_INPUT where the side is a value. */
export function columnTerm(side: ExpressionTerm, where: string): Term {
  if (side.kind === 'column') return side.term;
  throw new IcecoreError('BAD_USER_INPUT', `${where} must be a column or a transform of one, and is a value.`);
}

/** By name, which the Java library calls `term`, or by field id. */
function parseReference(object: JsonObject, columnName: ColumnNames, where: string): string {
  if (Object.hasOwn(object, 'term')) return member(object, 'term', asString, where);
  if (!Object.hasOwn(object, 'id')) return member(object, 'name', asString, where);
  const id = member(object, 'id', asInt, where);
  const name = columnName(id);
  if (name !== undefined) return name;
  throw new IcecoreError('BAD_USER_INPUT', `${where}: the schema has no column with the id ${id}.`);
}

const dateFunctions: Readonly<Record<string, string>> = {
  year: 'year',
  years: 'year',
  month: 'month',
  months: 'month',
  day: 'day',
  days: 'day',
  hour: 'hour',
  hours: 'hour',
  identity: 'identity',
};

/** A function that is one of the partition transforms: `day(x)`, `bucket(16, x)`, `truncate(4, x)`. */
function parseApply(object: JsonObject, columnName: ColumnNames, where: string): ExpressionTerm {
  const name = functionName(object.function, where);
  const args = Array.isArray(object.arguments) ? (object.arguments as readonly unknown[]) : [];
  const sides = args.map((argument, index) => parseAtom(argument, columnName, `${where}.arguments[${index}]`));
  const columns = sides.flatMap((side) => (side.kind === 'column' ? [side.term] : []));
  const values = sides.flatMap((side) => (side.kind === 'literal' ? [side.literal] : []));
  const [term] = columns;
  const transform = transformName(name, values);
  if (term !== undefined && columns.length === 1 && transform !== null) {
    return { kind: 'column', term: { column: term.column, transform } };
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${where}: ${name} of ${args.length} arguments cannot be planned by. There are year, month, day, hour, bucket(N, column) and truncate(W, column).`,
  );
}

function transformName(name: string, values: readonly UnboundLiteral[]): string | null {
  const [width] = values;
  if (width === undefined) return /^(bucket|truncate)\[\d+\]$/.test(name) ? name : (dateFunctions[name] ?? null);
  const takesWidth = (name === 'bucket' || name === 'truncate') && values.length === 1;
  return takesWidth && typeof width === 'number' ? `${name}[${width}]` : null;
}

/** A text, an identifier, or `{"catalog": …, "identifier": …}`; the last part of an identifier counts. */
function functionName(json: unknown, where: string): string {
  if (typeof json === 'string') return json.toLowerCase();
  if (Array.isArray(json) && json.length > 0) return functionName(json.at(-1), where);
  const object = asObject(json, `${where}.function`);
  return functionName(object.identifier, where);
}
