import { IcecoreError } from '../errors.ts';
import { printJson } from '../iceberg/json.ts';
import { Api, serverFlags } from './api.ts';
import type { Action, Command } from './command.ts';
import type { Console } from './console.ts';
import { printable } from './printable.ts';
import { Refusal } from './refusal.ts';
import { describeTable } from './table-description.ts';
import { type ListedTable, listTables, printTables } from './table-list.ts';
import { printTablePage, printTablePageJson } from './table-page.ts';

const kinds = ['TABLE', 'FEATURES', 'TRAINING_SET', 'PREDICTIONS', 'SYSTEM'];

export const tablesCommand: Command = {
  name: 'tables',
  summary: 'the tables, or one of them',
  usage: ['icecore tables [NAMESPACE] [flags]', 'icecore tables NAMESPACE.NAME [flags]'],
  details: ['Of one table: its columns, partitioning, branches and tags, and last snapshots.'],
  flags: [
    { name: 'kind', value: 'KIND', help: `only ${kinds.map(spokenKind).join(', ')}` },
    { name: 'json', help: 'an object a line' },
    ...serverFlags,
  ],
  prepare: (flags, environment) => {
    const api = Api.of(flags, environment);
    const [name = null, ...others] = flags.words;
    if (others.length > 0) throw new IcecoreError('BAD_USER_INPUT', 'Give one namespace or one table.');
    const narrow = { name, kind: kindOf(flags.value('kind')), isJson: flags.has('json') };
    return ((console) => show(api, narrow, console)) satisfies Action;
  },
};

interface Narrow {
  /** A table's or a namespace's. */
  readonly name: string | null;
  readonly kind: string | null;
  readonly isJson: boolean;
}

async function show(api: Api, { name, kind, isJson }: Narrow, console: Console): Promise<void> {
  // A table's name has a namespace, so a dot. A namespace may have one too, and no table is called as it is.
  const page = name?.includes('.') && kind === null ? await describeTable(api, name) : null;
  if (page !== null) return (isJson ? printTablePageJson : printTablePage)(page, console);
  const tables: ListedTable[] = [];
  for await (const table of listTables(api, { namespace: name, kind })) {
    if (isJson) console.out(`${printJson(jsonOf(table))}\n`);
    tables.push(table);
  }
  if (tables.length === 0 && name !== null) {
    const what =
      kind === null
        ? `neither a table nor a namespace with tables called ${printable(name)}`
        : `nothing of that kind in ${printable(name)}`;
    throw new Refusal(`There is ${what}: "icecore tables" lists what there is.`, 'NOT_FOUND');
  }
  if (!isJson) printTables(tables, console);
}

function jsonOf({ snapshots, ...table }: ListedTable): object {
  return { ...table, snapshotCount: snapshots.totalCount };
}

function spokenKind(kind: string): string {
  return kind.toLowerCase().replace('_', '-');
}

function kindOf(text: string | null): string | null {
  if (text === null) return null;
  const kind = text.toUpperCase().replace('-', '_');
  if (kinds.includes(kind)) return kind;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `There is no kind "${printable(text)}"; there is: ${kinds.map(spokenKind).join(', ')}.`,
  );
}
