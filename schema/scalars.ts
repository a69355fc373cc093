import { GraphQLError, type ValueNode } from 'graphql';
import { parseTimestamp, printTimestamp } from '../src/iceberg/calendar.ts';
import { builder } from './builder.ts';
import { parseDuration, printDuration } from './duration.ts';
import { literalToJson, toJson } from './json.ts';

const longMax = 2n ** 63n - 1n;
const longMin = -(2n ** 63n);

builder.scalarType('BigInt', {
  description: 'Signed 64-bit integer as a decimal string. Snapshot ids and row counts pass 2^53.',
  serialize: (value) => String(toLong(value)),
  parseValue: toLong,
  parseLiteral: (node) => toLong(scalarText(node, 'BigInt')),
});

builder.scalarType('DateTime', {
  description: 'RFC 3339 instant in UTC, up to microseconds.',
  serialize: printInstant,
  parseValue: (value) => parseInstant(asText(value, 'DateTime', '"2001-03-01T00:00:00Z"')),
  parseLiteral: (node) => parseInstant(stringText(node, 'DateTime', '"2001-03-01T00:00:00Z"')),
});

builder.scalarType('Duration', {
  description: 'ISO 8601 duration in days or smaller units, such as PT24H. A day is 24 hours.',
  serialize: printDuration,
  parseValue: (value) => parseDuration(asText(value, 'Duration', '"PT24H"')),
  parseLiteral: (node) => parseDuration(stringText(node, 'Duration', '"PT24H"')),
});

builder.scalarType('JSON', {
  description:
    'A value of a table or a free-form object. Longs and decimals are strings; NaN, Infinity and -Infinity are strings; binary is base64;\n' +
    'dates and times are ISO 8601; structs are objects, maps are lists of [key, value]. The same forms are read on input.',
  serialize: toJson,
  parseValue: (value) => value,
  parseLiteral: literalToJson,
});

builder.scalarType('Bytes', {
  description: 'Bytes in base64 where the transport is JSON, raw bytes where it is binary.',
  serialize: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  parseValue: (value) => parseBase64(asText(value, 'Bytes', 'base64 text')),
  parseLiteral: (node) => parseBase64(stringText(node, 'Bytes', 'base64 text')),
});

/** Microseconds since the epoch as `2001-03-01T00:00:00Z`; a fraction of six digits where there is one. */
function printInstant(micros: bigint): string {
  return printTimestamp(micros, 'micros', true).replace('+00:00', 'Z');
}

function parseInstant(text: string): bigint {
  if (!/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text))
    throw malformed('DateTime', text, '"2001-03-01T00:00:00Z"');
  return parseTimestamp(text.toUpperCase(), 'micros', true);
}

function toLong(value: unknown): bigint {
  const long =
    typeof value === 'bigint'
      ? value
      : typeof value === 'number' && Number.isSafeInteger(value)
        ? BigInt(value)
        : typeof value === 'string' && /^-?\d{1,19}$/.test(value)
          ? BigInt(value)
          : null;
  if (long === null || long > longMax || long < longMin)
    throw malformed('BigInt', String(value), 'a whole number of 64 bits as text, such as "42"');
  return long;
}

function parseBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw malformed('Bytes', text, 'base64 text');
  return Buffer.from(text, 'base64');
}

function scalarText(node: ValueNode, scalar: string): string {
  if (node.kind === 'StringValue' || node.kind === 'IntValue') return node.value;
  throw malformed(scalar, node.kind, 'a whole number of 64 bits as text, such as "42"');
}

function stringText(node: ValueNode, scalar: string, example: string): string {
  if (node.kind === 'StringValue') return node.value;
  throw malformed(scalar, node.kind, example);
}

function asText(value: unknown, scalar: string, example: string): string {
  if (typeof value === 'string') return value;
  throw malformed(scalar, String(value), example);
}

function malformed(scalar: string, value: string, example: string): GraphQLError {
  return new GraphQLError(`${scalar} cannot be ${JSON.stringify(value.slice(0, 80))}: write ${example}.`, {
    extensions: { code: 'BAD_USER_INPUT' },
  });
}
