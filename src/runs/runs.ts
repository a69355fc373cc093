import { Access } from '../access/access.ts';
import type { Caller } from '../access/caller.ts';
import { hasRole } from '../access/role.ts';
import { visiblePage } from '../access/visible-page.ts';
import type { Catalog, ChainLink, Guard, IdempotencyRecord, JournalDraft } from '../catalog/catalog.ts';
import { leaseOwner, takeLease } from '../catalog/lease-owner.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { snapshotCell } from '../ledger/snapshot-cell.ts';
import { pageRowsDefault, pageRowsMax, runAttemptsMax, runLeaseMs, runRecoveryIntervalMs, runsInFlightMax } from '../limits.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Run, RunKind, RunStatus } from './run.ts';
import { failureMessage, RunExecution } from './run-execution.ts';
import type { RunOperation, RunOutcome } from './run-handler.ts';
import { newRunId } from './run-id.ts';
import { callerOf, type RunRow, runOf, runSubject, runTable } from './run-table.ts';
import { RunWatch } from './run-watch.ts';

export interface RunsOptions {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly transaction: () => TableTransaction;
  /** Which of these tables, as they were recorded, the caller at hand may read. All where left out. */
  readonly readable?: (tables: readonly TableSnapshotRef[]) => Promise<readonly boolean[]>;
  /** For whom runs work: each for who asked for it. One server for all where left out. */
  readonly access?: Access;
  /** Makes audit entries; handed in, since the audit module stands above this one. */
  readonly audit: {
    link(event: { caller: Caller; action: string; subject: string; outcome: string; payload: unknown }): ChainLink;
  };
  readonly leaseMs?: number;
  readonly recoveryIntervalMs?: number;
}

export interface RunStart {
  readonly caller: Caller;
  /** One that `register` knows. */
  readonly operation: string;
  /** All that it takes to do it, also again after a crash; anything JSON, bigints become strings. */
  readonly input: unknown;
  /** Stored with the run's start; its answer should hold the run's id. */
  readonly idempotency?: ((runId: string) => IdempotencyRecord | null) | undefined;
  readonly links?: readonly ChainLink[];
  readonly entries?: readonly JournalDraft[];
  readonly guards?: readonly Guard[];
}

/** Long work (contract, `Run`): recorded before it starts, done in the background, taken over when its server dies, ended exactly once. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #access: Access;
  readonly #owner = leaseOwner();
  readonly #operations = new Map<string, RunOperation>();
  readonly #executions = new Map<string, RunExecution>();
  /** Being worked at by this server, from before the lease is taken: a look over all runs must not begin them once more. */
  readonly #begun = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  /** Begun by nobody yet: their first go needs no entry of its own. */
  readonly #startedHere = new Set<string>();
  readonly #watch = new RunWatch();
  readonly #stopListening: () => void;
  #queue: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#access = options.access ?? Access.unrestricted();
    // Also how other servers' ends and cancellations become known.
    this.#stopListening = options.catalog.onCommit(() => this.#watch.wake());
  }

  register(operation: string, how: RunOperation): void {
    if (this.#operations.has(operation)) throw new IcecoreError('INTERNAL', `${operation} is registered twice.`);
    this.#operations.set(operation, how);
  }

  /** Takes over what earlier or other servers left, now and every few seconds. To be called once all operations are registered. */
  async begin(): Promise<void> {
    const interval = this.#options.recoveryIntervalMs ?? runRecoveryIntervalMs;
    this.#timer ??= setInterval(() => {
      this.recover().catch((error: unknown) => process.emitWarning(`Runs could not be looked over: ${String(error)}`));
    }, interval).unref();
    await this.recover();
  }

  /** Records the run as RUNNING, with its audit entry and its idempotency claim, and gives it back; the work goes on behind. */
  async start({ caller, operation, input, idempotency, links, entries, guards }: RunStart): Promise<Run> {
    const { catalog, ledger, audit } = this.#options;
    const how = this.#operation(operation);
    if (this.#closed) throw new IcecoreError('OVERLOADED', 'The server is shutting down; repeat the call.', { retryable: true });
    const row = this.#newRow(caller, how.kind, operation, input);
    const claim = idempotency?.(row.id) ?? null;
    const payload = { operation, kind: how.kind };
    await catalog.commit({
      entries: [ledger.draft(runTable, row), ...(entries ?? [])],
      links: [
        audit.link({ caller, action: operation, subject: runSubject(row.id), outcome: 'STARTED', payload }),
        ...(links ?? []),
      ],
      guards: guards ?? [],
      claims: claim === null ? [] : [claim],
    });
    this.#startedHere.add(row.id);
    this.#enqueue(row.id);
    return runOf(row);
  }

  /** The entry of a run that already is over, for what is done at once; to be committed with it. */
  recorded(
    caller: Caller,
    kind: RunKind,
    operation: string,
    input: unknown,
    outcome: RunOutcome,
  ): { run: Run; entry: JournalDraft } {
    const started = this.#newRow(caller, kind, operation, input);
    const row: RunRow = {
      ...started,
      status: 'SUCCEEDED',
      ended_at: started.started_at,
      inputs: outcome.inputs.map(snapshotCell),
      outputs: outcome.outputs.map(snapshotCell),
      result: jsonText(outcome.result),
    };
    return { run: runOf(row), entry: this.#options.ledger.draft(runTable, row) };
  }

  async get(id: string): Promise<Run | null> {
    return (await this.getMany([id]))[0] ?? null;
  }

  /** In the order of the ids, null for those that do not exist; one read whatever their number. */
  async getMany(ids: readonly string[]): Promise<readonly (Run | null)[]> {
    const rows = await this.#options.ledger.select(runTable, { where: { id: ids } });
    const runs = await this.visible(rows.map((row) => this.#live(runOf(row))));
    const byId = new Map(runs.map((run) => [run.id, run]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Newest first; `after` is the run that the page before ended with. */
  async list(filter: {
    readonly kind?: RunKind | null;
    readonly status?: RunStatus | null;
    readonly operation?: string | null;
    readonly first?: number | null;
    readonly after?: Pick<Run, 'id' | 'startedAtMicros'> | null;
  }): Promise<{ readonly runs: readonly Run[]; readonly hasNextPage: boolean }> {
    const { kind, status, operation, after } = filter;
    const first = Math.min(filter.first ?? pageRowsDefault, pageRowsMax);
    const runs = await visiblePage(
      this.#access,
      first + 1,
      async (last: Run | null, limit) => {
        const from = last ?? after;
        const rows = await this.#options.ledger.select(runTable, {
          where: {
            ...(kind == null ? {} : { kind }),
            ...(status == null ? {} : { status }),
            ...(operation == null ? {} : { operation }),
          },
          ...(from == null ? {} : { sql: { text: '(started_at, id) < (?, ?)', args: [from.startedAtMicros, from.id] } }),
          orderBy: 'started_at DESC, id DESC',
          limit,
        });
        return rows.map((row) => this.#live(runOf(row)));
      },
      (found) => this.visible(found),
    );
    return { runs: runs.slice(0, first), hasNextPage: runs.length > first };
  }

  /** Those of the runs that show to the caller at hand, without what they may not read. */
  async visible(runs: readonly Run[]): Promise<readonly Run[]> {
    if (this.#access.permissions.unrestricted) return runs;
    const seen: Run[] = [];
    for (const run of runs) {
      const readable = await this.#readable([...run.inputs, ...run.outputs]);
      const isOwn = run.by.id === this.#access.permissions.subject;
      if (!isOwn && !this.#access.mayReadAll() && !(await this.#showsTo(run, readable))) continue;
      seen.push({
        ...run,
        inputs: run.inputs.filter((_, index) => readable[index]),
        outputs: run.outputs.filter((_, index) => readable[run.inputs.length + index]),
        // Written for who started it, it may name any table that they may read.
        error: run.error === null || isOwn || this.#access.mayReadAll() ? run.error : withoutDetails(run.error),
      });
    }
    return seen;
  }

  async #showsTo(run: Run, readable: readonly boolean[]): Promise<boolean> {
    const { showsTo } = this.#operations.get(run.operation) ?? {};
    return showsTo === undefined ? readable.includes(true) : await showsTo(run);
  }

  async #readable(tables: readonly TableSnapshotRef[]): Promise<readonly boolean[]> {
    return (await this.#options.readable?.(tables)) ?? tables.map(() => true);
  }

  /** The run now, then whenever it has changed, up to its end; a slow reader gets the latest state alone. Throws NOT_FOUND. */
  async *watch(id: string, signal?: AbortSignal): AsyncGenerator<Run> {
    const listener = this.#watch.listen(id, signal);
    try {
      let last = '';
      while (signal?.aborted !== true) {
        const run = await this.#existing(id);
        const state = `${run.status} ${run.rowsDone} ${run.rowsTotal}`;
        if (state !== last) yield run;
        if (run.status !== 'RUNNING') return;
        last = state;
        await listener.changed();
      }
    } finally {
      listener.stop();
    }
  }

  /** The run once it has ended, or as it stands when the signal aborts. */
  async ended(id: string, signal?: AbortSignal): Promise<Run> {
    let latest = await this.#existing(id);
    for await (const run of this.watch(id, signal)) latest = run;
    return latest;
  }

  /** Ends a run without an effect. One that is over stays as it is. Throws NOT_FOUND, FORBIDDEN. */
  async cancel(id: string, caller: Caller, idempotency: IdempotencyRecord | null = null): Promise<Run> {
    const run = await this.#existing(id);
    if (run.by.id !== caller.actor.id && !hasRole(caller, 'admin')) {
      throw new IcecoreError(
        'FORBIDDEN',
        `${caller.actor.id} may not cancel run ${id}: that is for ${run.by.id}, who started it, and for the role admin.`,
      );
    }
    const seq = await this.#options.catalog.subjectSeq(runSubject(id));
    const row = await this.#options.ledger.find(runTable, { id });
    if (row === null || row.status !== 'RUNNING') return this.#existing(id);
    const execution = this.#executions.get(id);
    const done = execution?.progress.rowsDone ?? 0n;
    const transaction = this.#options.transaction();
    transaction.guard({ subject: runSubject(id), seq });
    if (idempotency !== null) transaction.claim(idempotency);
    this.#record(transaction, { ...row, status: 'CANCELLED', ended_at: this.#now(), rows_done: done }, 'CANCELLED', caller);
    try {
      await transaction.commit();
    } catch (error) {
      // It ended while it was being cancelled: what it is now is the answer.
      if (!IcecoreError.is(error, 'CONFLICT') || (await this.#options.catalog.subjectSeq(runSubject(id))) === seq) throw error;
      // Or it was taken over, which happens a few times at most.
      if ((await this.#existing(id)).status === 'RUNNING') return await this.cancel(id, caller, idempotency);
    }
    execution?.stop(`Run ${id} was cancelled.`);
    this.#watch.wake(id);
    return this.#existing(id);
  }

  /** Looks for RUNNING runs that nobody works at, and queues them here. */
  async recover(): Promise<void> {
    const free = runsInFlightMax - this.#working.size - this.#queue.length;
    if (this.#closed || free <= 0) return;
    const rows = await this.#options.ledger.select(runTable, {
      where: { status: 'RUNNING', operation: [...this.#operations.keys()] },
      orderBy: 'started_at, id',
      limit: pageRowsMax,
    });
    for (const { id } of rows) if (!this.#begun.has(id) && !this.#queue.includes(id)) this.#enqueue(id);
  }

  /** Stops all work, and lets go of it, so that another server can take it over at once. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stopListening();
    this.#queue = [];
    for (const execution of this.#executions.values()) execution.stop('The server is shutting down.');
    await Promise.all(this.#working);
    this.#watch.wake();
  }

  #enqueue(id: string): void {
    this.#queue.push(id);
    this.#drain();
  }

  #drain(): void {
    while (!this.#closed && this.#working.size < runsInFlightMax) {
      const id = this.#queue.shift();
      if (id === undefined) return;
      // Whoever's call began it here, it is the server that works at it, and the handler alone works for its caller.
      const work = this.#access
        .asServer(() => this.#work(id))
        // The run stays RUNNING, and is taken over once its lease lapses.
        .catch((error: unknown) => process.emitWarning(`Run ${id} could not be worked at: ${String(error)}`))
        .finally(() => {
          this.#working.delete(work);
          this.#drain();
        });
      this.#working.add(work);
    }
  }

  /** Does the run, unless another has it or it is over. */
  async #work(id: string): Promise<void> {
    if (this.#begun.has(id)) return;
    this.#begun.add(id);
    try {
      await this.#workOnce(id);
    } finally {
      this.#begun.delete(id);
    }
  }

  async #workOnce(id: string): Promise<void> {
    const { catalog, ledger } = this.#options;
    const leaseMs = this.#options.leaseMs ?? runLeaseMs;
    const lease = runSubject(id);
    const fence = await takeLease(catalog, lease, this.#owner, leaseMs);
    if (fence === null) return;
    try {
      const seq = await catalog.subjectSeq(lease);
      const row = await ledger.find(runTable, { id });
      const how = row === null ? undefined : this.#operations.get(row.operation);
      if (row === null || how === undefined || row.status !== 'RUNNING') return;
      await this.#execute(row, how, { seq, lease, fence, leaseMs });
    } finally {
      this.#executions.delete(id);
      await catalog.releaseLease(lease, this.#owner, fence);
      this.#watch.wake(id);
    }
  }

  async #execute(
    row: RunRow,
    how: RunOperation,
    held: { readonly seq: bigint; readonly lease: string; readonly fence: bigint; readonly leaseMs: number },
  ): Promise<void> {
    const begun = await this.#countAttempt(row, held);
    if (begun === null) return;
    const execution = new RunExecution({
      ...held,
      ...begun,
      catalog: this.#options.catalog,
      access: this.#access,
      transaction: this.#options.transaction,
      record: (transaction, done, outcome, facts) => this.#record(transaction, done, outcome, callerOf(done), facts),
      nowMicros: () => this.#now(),
      onProgress: () => this.#watch.wake(row.id),
    });
    this.#executions.set(row.id, execution);
    const renewal = setInterval(() => void this.#renew(execution, begun, held), held.leaseMs / 3);
    try {
      const end = await execution.run(how);
      if (typeof end === 'object')
        await this.#fail({ ...begun.row, rows_done: execution.progress.rowsDone }, begun.seq, held, end.failed);
    } finally {
      clearInterval(renewal);
    }
  }

  /** Counts each take-over, so that its entry ends what the server before may still try; a run that brought down its server again and again fails. Null where it is over. */
  async #countAttempt(
    row: RunRow,
    held: { readonly seq: bigint; readonly lease: string; readonly fence: bigint },
  ): Promise<{ readonly row: RunRow; readonly seq: bigint } | null> {
    if (this.#startedHere.delete(row.id)) return { row, seq: held.seq };
    const next = { ...row, attempt: row.attempt + 1 };
    if (row.attempt >= runAttemptsMax) {
      await this.#fail(
        row,
        held.seq,
        held,
        `INTERNAL: it was begun ${row.attempt} times, and its server ended each time before it did.`,
      );
      return null;
    }
    const { seqs } = await this.#options.catalog.commit({
      entries: [this.#options.ledger.draft(runTable, next)],
      guards: [{ subject: runSubject(row.id), seq: held.seq }],
      fences: [{ lease: held.lease, fence: held.fence }],
    });
    return { row: next, seq: seqs[0] ?? held.seq };
  }

  async #renew(
    execution: RunExecution,
    begun: { readonly row: RunRow; readonly seq: bigint },
    held: { readonly lease: string; readonly fence: bigint; readonly leaseMs: number },
  ): Promise<void> {
    const { catalog } = this.#options;
    try {
      const isHeld = await catalog.renewLease(held.lease, this.#owner, held.fence, held.leaseMs);
      const isUnchanged = (await catalog.subjectSeq(runSubject(begun.row.id))) === begun.seq;
      if (!isHeld || !isUnchanged) execution.stop(`Run ${begun.row.id} was cancelled, or taken over by another server.`);
    } catch (error) {
      // The next renewal may succeed; if none does, the fence keeps this execution from committing.
      process.emitWarning(`The lease of run ${begun.row.id} could not be renewed: ${failureMessage(error)}`);
    }
  }

  async #fail(row: RunRow, seq: bigint, held: { readonly lease: string; readonly fence: bigint }, error: string): Promise<void> {
    const transaction = this.#options.transaction();
    transaction.guard({ subject: runSubject(row.id), seq });
    transaction.fence({ lease: held.lease, fence: held.fence });
    this.#record(transaction, { ...row, status: 'FAILED', ended_at: this.#now(), error }, 'FAILED');
    await transaction.commit();
  }

  #record(
    transaction: TableTransaction,
    row: RunRow,
    outcome: string,
    by: Caller = callerOf(row),
    facts: RunOutcome['facts'] = {},
  ): void {
    const { ledger, audit } = this.#options;
    transaction.entry(ledger.draft(runTable, row));
    const snapshots = (list: RunRow['inputs']) => list.map(({ table_uuid, snapshot_id }) => `${table_uuid}@${snapshot_id}`);
    // The error's text may quote data, and stays out of the chain; its digest binds the row's.
    const payload = {
      ...facts,
      operation: row.operation,
      inputs: snapshots(row.inputs),
      outputs: snapshots(row.outputs),
      attempt: row.attempt,
    };
    transaction.link(audit.link({ caller: by, action: row.operation, subject: runSubject(row.id), outcome, payload }));
  }

  #newRow(caller: Caller, kind: RunKind, operation: string, input: unknown): RunRow {
    const { clock } = this.#options;
    return {
      id: newRunId(nowMs(clock)),
      kind,
      operation,
      status: 'RUNNING',
      started_at: clock.nowMicros(),
      ended_at: null,
      actor_id: caller.actor.id,
      actor_name: caller.actor.name,
      actor_kind: caller.actor.kind,
      roles: [...caller.roles],
      assurance: caller.assurance,
      rows_done: 0n,
      rows_total: null,
      error: null,
      inputs: [],
      outputs: [],
      input: jsonText(input),
      result: null,
      attempt: 1,
    };
  }

  #live(run: Run): Run {
    const progress = run.status === 'RUNNING' ? this.#executions.get(run.id)?.progress : undefined;
    return progress === undefined ? run : { ...run, ...progress };
  }

  async #existing(id: string): Promise<Run> {
    const run = await this.get(id);
    if (run === null)
      throw new IcecoreError('NOT_FOUND', `There is no run ${id}; take ids from \`runs\`.`, { context: { run: id } });
    return run;
  }

  #operation(operation: string): RunOperation {
    const how = this.#operations.get(operation);
    if (how === undefined) throw new IcecoreError('INTERNAL', `No handler is registered for ${operation}.`);
    return how;
  }

  #now(): bigint {
    return this.#options.clock.nowMicros();
  }
}

/** The code alone: `NOT_FOUND: …` says what was not found. */
function withoutDetails(error: string): string {
  return `${/^[A-Z_]+(?=: )/.exec(error)?.[0] ?? 'FAILED'}: what went wrong is told to who started the run.`;
}

function jsonText(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}
