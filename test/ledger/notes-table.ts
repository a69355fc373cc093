import type { LedgerTable } from '../../src/ledger/ledger-table.ts';

export type Note = {
  readonly id: string;
  readonly topic: string;
  readonly at: bigint;
  readonly weight: number | null;
  readonly done: boolean;
  readonly count: bigint;
  readonly marks: readonly { readonly name: string; readonly value: bigint | null }[];
  readonly tags: Readonly<Record<string, string>> | null;
};

const columns = [
  { name: 'id', type: 'string', required: true, doc: 'Which note' },
  { name: 'topic', type: 'string', required: true, doc: 'What it is about' },
  { name: 'at', type: 'timestamptz', required: true, doc: 'When it was written' },
  { name: 'weight', type: 'double', required: false, doc: 'How much it counts' },
  { name: 'done', type: 'boolean', required: true, doc: 'Whether it was done' },
  { name: 'count', type: 'long', required: true, doc: 'How often' },
  { name: 'marks', type: 'list<struct<name: string, value: long>>', required: true, doc: 'Marks' },
  { name: 'tags', type: 'map<string, string>', required: false, doc: 'Tags' },
] as const;

/** Two tables of the same columns, one of each mode, for tests of the ledger. */
export const notes: LedgerTable<Note> = {
  name: 'icecore.notes',
  columns,
  key: ['id'],
  mode: 'upsert',
  indexes: [['topic', 'at']],
  subject: (row) => `note/${row.id}`,
};

export const noteLog: LedgerTable<Note> = {
  ...notes,
  name: 'icecore.note_log',
  mode: 'append',
  subject: (row) => `log/${row.id}`,
};

export function note(id: string, rest: Partial<Note> = {}): Note {
  return { id, topic: 'ice', at: 0n, weight: null, done: false, count: 0n, marks: [], tags: null, ...rest };
}
