import type { Token } from './token.ts';
import { tokensOf } from './token.ts';

/** Words that may follow a table reference and are not its alias: DuckDB's reserved words and those that begin a join or a sample. */
const afterTable = new Set(
  (
    'all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create default deferrable ' +
    'desc describe distinct do else end except false fetch for foreign from group having in initially intersect into lambda ' +
    'lateral leading limit not null offset on only or order pivot pivot_longer pivot_wider placing primary qualify references ' +
    'returning select show some summarize symmetric table then to trailing true union unique unpivot using variadic when where ' +
    'window with anti asof at authorization binary collation concurrently cross freeze full generated glob ilike inner is isnull ' +
    'join left like map natural notnull outer overlaps positional right semi similar struct tablesample try_cast union verbose'
  ).split(' '),
);

const isWord = (token: Token | undefined, word: string) => token?.kind === 'name' && token.text.toLowerCase() === word;

interface Clause {
  /** `AT (VERSION => 3)`, as DuckDB takes it. */
  readonly text: string;
  /** The index of the first token behind it. */
  readonly next: number;
}

/** `AT (VERSION => n)`, `AT (TIMESTAMP => '…')` beginning at the token `index`. */
function atClause(statement: string, tokens: readonly Token[], index: number): Clause | null {
  const [at, open, unit, arrow] = tokens.slice(index, index + 4);
  if (
    !isWord(at, 'at') ||
    open?.text !== '(' ||
    !(isWord(unit, 'version') || isWord(unit, 'timestamp')) ||
    arrow?.text !== '=>'
  ) {
    return null;
  }
  let depth = 1;
  for (let next = index + 4; next < tokens.length; next++) {
    const token = tokens[next];
    if (token?.text === '(') depth++;
    if (token?.text === ')') depth--;
    if (token !== undefined && depth === 0) return { text: statement.slice(at?.start, token.end), next: next + 1 };
  }
  return null;
}

/** `FOR VERSION AS OF n`, `FOR TIMESTAMP AS OF '…'`, `FOR SYSTEM_TIME AS OF …`, as the standard and Spark write it. */
function forClause(tokens: readonly Token[], index: number): Clause | null {
  if (!isWord(tokens[index], 'for') || !isWord(tokens[index + 2], 'as') || !isWord(tokens[index + 3], 'of')) return null;
  const unit = tokens[index + 1]?.text.toLowerCase() ?? '';
  const isVersion = unit === 'version' || unit === 'system_version';
  if (!isVersion && unit !== 'timestamp' && unit !== 'system_time') return null;
  let next = index + 4;
  let value = tokens[next++];
  if (!isVersion && (isWord(value, 'timestamp') || isWord(value, 'timestamptz'))) value = tokens[next++];
  if (value?.kind !== 'text' && !(isVersion && value?.kind === 'number')) return null;
  return { text: `AT (${isVersion ? 'VERSION' : 'TIMESTAMP'} => ${value.text})`, next };
}

/** `AS x`, `x`, `AS x(a, b)` at the token `index`: gives the index behind it, or `index` where there is no alias. */
function aliasEnd(tokens: readonly Token[], index: number): number {
  const explicit = isWord(tokens[index], 'as');
  const name = tokens[explicit ? index + 1 : index];
  const isName = name?.kind === 'quoted' || (name?.kind === 'name' && (explicit || !afterTable.has(name.text.toLowerCase())));
  if (!isName) return index;
  const end = explicit ? index + 2 : index + 1;
  if (tokens[end]?.text !== '(') return end;
  for (let close = end + 1; close < tokens.length; close++) {
    const text = tokens[close]?.text;
    if (text === ')') return close + 1;
    if (text === '(') break;
  }
  return end;
}

/**
 * Rewrites every way to write time travel into the one that DuckDB parses, `t alias AT (…)`: `FOR VERSION AS OF n`,
 * `FOR TIMESTAMP AS OF '…'`, and an alias behind the clause. Quotes and comments are left alone. Clauses are padded to their
 * old length where that is possible, so that positions in messages stay right.
 */
export function normaliseTimeTravel(statement: string): string {
  const tokens = tokensOf(statement);
  let result = '';
  let copied = 0;
  for (let index = 1; index < tokens.length; ) {
    const clause = atClause(statement, tokens, index) ?? forClause(tokens, index);
    if (clause === null) {
      index++;
      continue;
    }
    const start = tokens[index]?.start ?? 0;
    const end = aliasEnd(tokens, clause.next);
    const clauseEnd = tokens[clause.next - 1]?.end ?? start;
    const stop = tokens[end - 1]?.end ?? clauseEnd;
    const alias = end === clause.next ? '' : `${statement.slice(tokens[clause.next]?.start, stop)} `;
    result += statement.slice(copied, start) + `${alias}${clause.text}`.padEnd(stop - start);
    copied = stop;
    index = end;
  }
  return result + statement.slice(copied);
}
