import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from '../iceberg/json.ts';
import { cliRowsDefault, cliStatementBytesMax, sqlRowsMax } from '../limits.ts';
import { Api, serverFlags } from './api.ts';
import { cellText, isNumeric } from './cell-text.ts';
import type { Action, Command } from './command.ts';
import { type Console, dim } from './console.ts';
import { counted, countText, elapsedText } from './count-text.ts';
import { type Flags, wholeNumberFlag } from './flags.ts';
import { printable } from './printable.ts';
import { textTable } from './text-table.ts';

const query = `query ($statement: String!, $parameters: [JSON!], $maxRows: Int) {
  sql(statement: $statement, parameters: $parameters, maxRows: $maxRows) {
    columns { name type } rows truncated elapsedMs snapshots { tableName tableUuid snapshotId }
  }
}`;

interface SqlAnswer {
  readonly sql: {
    readonly columns: readonly { readonly name: string; readonly type: string }[];
    readonly rows: readonly Readonly<Record<string, unknown>>[];
    readonly truncated: boolean;
    readonly elapsedMs: number;
    readonly snapshots: readonly {
      readonly tableName: string | null;
      readonly tableUuid: string;
      readonly snapshotId: string;
    }[];
  };
}

export const sqlCommand: Command = {
  name: 'sql',
  summary: 'the rows of a SELECT',
  usage: ['icecore sql "SELECT …" [flags]', 'icecore sql - [flags] < statement.sql'],
  details: [
    "A table can be read as it was: t AT (VERSION => 123), t AT (TIMESTAMP => '2026-01-01 00:00:00').",
    'A place for a parameter is ? or $1, $2 and so on. A text needs its JSON quotes: --param \'"ATL"\'.',
  ],
  flags: [
    { name: 'param', value: 'JSON', isRepeatable: true, help: 'the next parameter of the statement; give it as often as needed' },
    { name: 'max-rows', value: 'N', help: `${countText(cliRowsDefault)} where left out, at most ${countText(sqlRowsMax)}` },
    { name: 'json', help: 'an object a line; longs and decimals are texts, so that nothing is rounded' },
    ...serverFlags,
  ],
  prepare: (flags, environment) => {
    const api = Api.of(flags, environment);
    const given = statementOf(flags);
    const parameters = flags.values('param').map(parameterOf);
    const maxRows = wholeNumberFlag(flags, 'max-rows', { min: 0, max: sqlRowsMax, otherwise: cliRowsDefault });
    const print = flags.has('json') ? printLines : printTable;
    return (async (console) => {
      const statement = given === '-' ? await readAll(console.input) : given;
      const { sql } = await api.ask<SqlAnswer>(query, { statement, parameters, maxRows });
      print(sql, console);
    }) satisfies Action;
  },
};

function statementOf({ words }: Flags): string {
  const [statement, ...others] = words;
  if (statement === undefined || statement.trim() === '') {
    throw new IcecoreError('BAD_USER_INPUT', 'Give a SELECT, in quotes, or - to read it from the input.');
  }
  if (others.length > 0) {
    throw new IcecoreError('BAD_USER_INPUT', `Put the statement in quotes: "${printable(words.join(' '))}".`);
  }
  return statement;
}

/** Longs beyond 2^53 travel as texts, as the contract has them; they compare with longs. */
function parameterOf(text: string): unknown {
  try {
    return longsAsText(parseJson(text));
  } catch (cause) {
    const quoted = JSON.stringify(text);
    throw new IcecoreError('BAD_USER_INPUT', `--param takes JSON, and ${printable(text)} is none; a text is '${quoted}'.`, {
      cause,
    });
  }
}

function longsAsText(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? value.map(longsAsText) : value;
}

async function readAll(input: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > cliStatementBytesMax) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The input is no statement: it has more than ${countText(cliStatementBytesMax)} bytes.`,
      );
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

function printTable({ columns, rows, truncated, elapsedMs, snapshots }: SqlAnswer['sql'], console: Console): void {
  const cells = rows.map((row) =>
    columns.map(({ name, type }) => ({ text: cellText(row[name], type), isDim: row[name] === null })),
  );
  const headings = columns.map(({ name, type }) => ({ name: printable(name), isNumeric: isNumeric(type) }));
  console.out(textTable(headings, cells, console));
  const count = truncated ? `the first ${counted(rows.length, 'row')}` : counted(rows.length, 'row');
  const more = truncated ? `; there are more: --max-rows takes up to ${countText(sqlRowsMax)}` : '';
  console.out(dim(`${count} in ${elapsedText(elapsedMs)}${more}`, console));
  console.out('\n');
  for (const { tableName, tableUuid, snapshotId } of snapshots) {
    console.out(`${dim(`read ${printable(tableName ?? tableUuid)} at snapshot ${snapshotId}`, console)}\n`);
  }
}

/** Members are in the order of the columns, whatever their names. */
function printLines({ columns, rows, truncated }: SqlAnswer['sql'], console: Console): void {
  const names = columns.map(({ name }) => ({ name, printed: JSON.stringify(name) }));
  for (const row of rows) {
    console.out(`{${names.map(({ name, printed }) => `${printed}:${printJson(row[name] ?? null)}`).join(',')}}\n`);
  }
  if (truncated) console.err(`icecore: these are the first ${counted(rows.length, 'row')}; there are more: --max-rows.\n`);
}
