import { IcecoreError } from '../errors.ts';

/** `name` also stands for keywords; `quoted` is an identifier in double quotes, `text` a literal in single or dollar quotes. */
export type TokenKind = 'name' | 'quoted' | 'text' | 'number' | 'symbol';

export interface Token {
  readonly kind: TokenKind;
  /** As it was written. */
  readonly text: string;
  /** Where it begins and ends in the statement, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

const space = /(?:\s|--[^\n]*)+/y;
const matchers: readonly (readonly [TokenKind, RegExp])[] = [
  ['text', /[eE]'(?:[^'\\]|''|\\[\s\S])*'/y],
  ['text', /'(?:[^']|'')*'/y],
  ['text', /\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|)\$[\s\S]*?\$\1\$/y],
  ['quoted', /"(?:[^"]|"")*"/y],
  ['number', /(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['name', /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['symbol', /=>|./sy],
];

/**
 * The tokens of a statement by DuckDB's lexical rules: nested comments, text in single quotes, with escapes behind `E`, and
 * between dollar quotes, identifiers in double quotes. Throws BAD_USER_INPUT where a comment or a quote does not end.
 */
export function tokensOf(statement: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < statement.length) {
    const next = afterSpace(statement, at);
    if (next > at) {
      at = next;
      continue;
    }
    const token = tokenAt(statement, at);
    if (token.kind === 'symbol' && (token.text === "'" || token.text === '"')) {
      throw new IcecoreError('BAD_USER_INPUT', `The statement's quote at character ${at + 1} does not end.`);
    }
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(statement: string, at: number): Token {
  for (const [kind, matcher] of matchers) {
    matcher.lastIndex = at;
    const text = matcher.exec(statement)?.[0];
    if (text !== undefined) return { kind, text, start: at, end: at + text.length };
  }
  throw new IcecoreError('INTERNAL', `No token at character ${at + 1}.`);
}

function afterSpace(statement: string, at: number): number {
  space.lastIndex = at;
  const match = space.exec(statement);
  if (match !== null) return at + match[0].length;
  if (!statement.startsWith('/*', at)) return at;
  let depth = 0;
  for (let index = at; index < statement.length; index++) {
    if (statement.startsWith('/*', index)) {
      depth++;
      index++;
    } else if (statement.startsWith('*/', index)) {
      depth--;
      index++;
      if (depth === 0) return index + 1;
    }
  }
  throw new IcecoreError('BAD_USER_INPUT', `The statement's comment at character ${at + 1} does not end.`);
}
