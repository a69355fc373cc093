import type { Caller, Role } from '../access/caller.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import { type SnapshotCell, snapshotOf, snapshotType } from '../ledger/snapshot-cell.ts';
import type { Run, RunKind, RunStatus } from './run.ts';

/** A row of `icecore.runs`: the newest state of one run. */
export type RunRow = {
  readonly id: string;
  readonly kind: string;
  readonly operation: string;
  readonly status: string;
  readonly started_at: bigint;
  readonly ended_at: bigint | null;
  readonly actor_id: string;
  readonly actor_name: string | null;
  readonly actor_kind: string;
  readonly roles: readonly string[];
  readonly assurance: string;
  readonly rows_done: bigint;
  readonly rows_total: bigint | null;
  readonly error: string | null;
  readonly inputs: readonly SnapshotCell[];
  readonly outputs: readonly SnapshotCell[];
  readonly input: string;
  readonly result: string | null;
  readonly attempt: number;
};

const snapshots = `list<${snapshotType}>`;

export const runTable: LedgerTable<RunRow> = {
  name: 'icecore.runs',
  mode: 'upsert',
  key: ['id'],
  indexes: [
    ['started_at', 'id'],
    ['status', 'started_at', 'id'],
    ['kind', 'started_at', 'id'],
  ],
  subject: ({ id }) => runSubject(id),
  columns: [
    { name: 'id', type: 'string', required: true, doc: 'UUID of version 7, so that ids rise with time' },
    {
      name: 'kind',
      type: 'string',
      required: true,
      doc: 'MATERIALIZATION, TRAINING_SET, REPRODUCTION, SCORING, MAINTENANCE, ERASURE or EXTERNAL',
    },
    { name: 'operation', type: 'string', required: true, doc: 'What does it, such as createTrainingSet' },
    { name: 'status', type: 'string', required: true, doc: 'RUNNING, SUCCEEDED, FAILED or CANCELLED' },
    { name: 'started_at', type: 'timestamptz', required: true, doc: 'When it was asked for' },
    { name: 'ended_at', type: 'timestamptz', required: false, doc: 'When it ended' },
    { name: 'actor_id', type: 'string', required: true, doc: 'Who asked for it' },
    { name: 'actor_name', type: 'string', required: false, doc: 'Their name' },
    { name: 'actor_kind', type: 'string', required: true, doc: 'HUMAN, SERVICE, AGENT or LOCAL' },
    { name: 'roles', type: 'list<string>', required: true, doc: 'The roles they had: a run taken over acts for them' },
    { name: 'assurance', type: 'string', required: true, doc: 'CREDENTIAL, or LOCAL where nobody checked who it was' },
    { name: 'rows_done', type: 'long', required: true, doc: 'Rows handled when it ended' },
    { name: 'rows_total', type: 'long', required: false, doc: 'Rows to handle, where known' },
    { name: 'error', type: 'string', required: false, doc: 'Why it failed' },
    { name: 'inputs', type: snapshots, required: true, doc: 'Snapshots it read' },
    { name: 'outputs', type: snapshots, required: true, doc: 'Snapshots it wrote' },
    { name: 'input', type: 'string', required: true, doc: "The operation's input, as JSON: all that it takes to do it again" },
    { name: 'result', type: 'string', required: false, doc: 'What came of it, as JSON' },
    { name: 'attempt', type: 'int', required: true, doc: 'How often it was begun' },
  ],
};

/** What guards and audit entries call a run. */
export function runSubject(id: string): string {
  return `run/${id}`;
}

export function runOf(row: RunRow): Run {
  return {
    id: row.id,
    kind: row.kind as RunKind,
    operation: row.operation,
    status: row.status as RunStatus,
    startedAtMicros: row.started_at,
    endedAtMicros: row.ended_at,
    by: callerOf(row).actor,
    rowsDone: row.rows_done,
    rowsTotal: row.rows_total,
    error: row.error,
    inputs: row.inputs.map(snapshotOf),
    outputs: row.outputs.map(snapshotOf),
    input: JSON.parse(row.input) as unknown,
    result: row.result === null ? null : (JSON.parse(row.result) as unknown),
  };
}

/** Who asked for it, as they were then. */
export function callerOf(row: RunRow): Caller {
  return {
    actor: { id: row.actor_id, name: row.actor_name, kind: row.actor_kind as Caller['actor']['kind'] },
    roles: new Set(row.roles as readonly Role[]),
    assurance: row.assurance as Caller['assurance'],
  };
}
