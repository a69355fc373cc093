import { printJson } from '../iceberg/json.ts';
import { bold, type Console, dim } from './console.ts';
import { counted, countText } from './count-text.ts';
import { printable } from './printable.ts';
import type { DescribedTable, FeatureDeclaration, TableDescription } from './table-description.ts';
import { momentText, rowsOf } from './table-list.ts';
import { type TextCell, textTable } from './text-table.ts';

/** One JSON object: the table as the API has it, connections as lists. */
export function printTablePageJson({ table, featureTable }: TableDescription, console: Console): void {
  const { refs, last, snapshots, ...rest } = table;
  const page = {
    ...rest,
    snapshotCount: snapshots.totalCount,
    refs: refs.edges.map(({ node }) => node),
    lastSnapshots: last.edges.map(({ node }) => node),
    featureTable,
  };
  console.out(`${printJson(page)}\n`);
}

export function printTablePage({ table, featureTable }: TableDescription, console: Console): void {
  const { currentSnapshot } = table;
  const rows = currentSnapshot === null ? '0' : rowsOf(currentSnapshot);
  const facts = [table.kind, `Iceberg format v${table.formatVersion}`, ...(rows === null ? [] : [counted(rows, 'row')])];
  console.out(`${bold(printable(table.name), console)}  ${facts.join(', ')}\n`);
  console.out(`${dim(`${printable(table.location)}  uuid ${table.uuid}`, console)}\n`);
  if (featureTable !== null) printDeclaration(featureTable, console);
  printColumns(table, console);
  printPartitioning(table, console);
  printRefs(table, console);
  printSnapshots(table, console);
}

function printDeclaration(declaration: FeatureDeclaration, console: Console): void {
  const { entityKeys, eventTime, knownTime, sequence, timeToLive, description, owner, definition } = declaration;
  if (description !== null) console.out(`${printable(description)}\n`);
  const facts = [
    `entity keys ${entityKeys.join(', ')}`,
    `event time ${eventTime}`,
    ...(knownTime === null ? [] : [`known time ${knownTime}`]),
    ...(sequence === null ? [] : [`sequence ${sequence}`]),
    ...(timeToLive === null ? [] : [`time to live ${timeToLive}`]),
    ...(owner === null ? [] : [`owner ${owner}`]),
  ];
  console.out(`${printable(facts.join('; '))}\n`);
  if (definition !== null) console.out(dim('computed from its definition (--json shows it)\n', console));
}

function printColumns({ columns }: DescribedTable, console: Console): void {
  const hasDocs = columns.some(({ doc }) => doc !== null);
  const headings = [
    { name: 'id', isNumeric: true },
    { name: 'column', isNumeric: false },
    { name: 'type', isNumeric: false },
    { name: 'null', isNumeric: false },
    ...(hasDocs ? [{ name: 'doc', isNumeric: false }] : []),
  ];
  const rows = columns.map(({ fieldId, name, type, required, doc }): readonly TextCell[] => [
    { text: String(fieldId), isDim: true },
    { text: printable(name) },
    { text: printable(type) },
    required ? { text: 'no' } : { text: 'yes', isDim: true },
    ...(hasDocs ? [{ text: printable(doc ?? '') }] : []),
  ]);
  console.out(`\n${textTable(headings, rows, console)}`);
}

function printPartitioning({ partitionFields }: DescribedTable, console: Console): void {
  const fields = partitionFields.map(({ column, transform }) => (transform === 'identity' ? column : `${transform}(${column})`));
  console.out(`\n${bold('partitioned by', console)}  ${fields.length === 0 ? 'nothing' : printable(fields.join(', '))}\n`);
}

function printRefs({ refs }: DescribedTable, console: Console): void {
  if (refs.edges.length === 0) return;
  const headings = [
    { name: 'ref', isNumeric: false },
    { name: 'type', isNumeric: false },
    { name: 'snapshot', isNumeric: true },
  ];
  const rows = refs.edges.map(({ node }) => [
    { text: printable(node.name) },
    { text: node.type },
    { text: node.snapshot.snapshotId },
  ]);
  console.out(`\n${textTable(headings, rows, console)}`);
  printRest(refs.totalCount, refs.edges.length, 'ref', console);
}

function printSnapshots({ last, snapshots }: DescribedTable, console: Console): void {
  if (last.edges.length === 0) {
    console.out('\nIt has no snapshot yet.\n');
    return;
  }
  const hasRuns = last.edges.some(({ node }) => node.producedBy !== null);
  const headings = [
    { name: 'snapshot', isNumeric: true },
    { name: 'committed', isNumeric: false },
    { name: 'operation', isNumeric: false },
    { name: 'rows', isNumeric: true },
    ...(hasRuns ? [{ name: 'by a run of', isNumeric: false }] : []),
  ];
  const rows = last.edges.map(({ node }): readonly TextCell[] => [
    { text: node.snapshotId },
    { text: momentText(node.committedAt) },
    { text: printable(node.operation) },
    { text: countText(rowsOf(node) ?? '') },
    ...(hasRuns ? [{ text: node.producedBy?.kind ?? '' }] : []),
  ]);
  console.out(`\n${textTable(headings, rows, console)}`);
  printRest(snapshots.totalCount, last.edges.length, 'older snapshot', console);
}

function printRest(totalCount: string | null, shown: number, noun: string, console: Console): void {
  const rest = BigInt(totalCount ?? shown) - BigInt(shown);
  if (rest > 0n) console.out(`${dim(`and ${counted(rest, noun)}`, console)}\n`);
}
