import type { Call } from '../access/call.ts';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Catalog, ChainLink } from '../catalog/catalog.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { parseIdentifier, printIdentifier } from '../iceberg/identifier.ts';
import { expiry } from '../iceberg/retention.ts';
import { maintenanceAnswerMsMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import { expiryEdges } from '../lineage/table-history.ts';
import type { Run } from '../runs/run.ts';
import type { RunContext, RunOutcome } from '../runs/run-handler.ts';
import type { Runs } from '../runs/runs.ts';
import { startRun } from '../runs/start-run.ts';
import { compactTable } from '../tables/compact-table.ts';
import { expireTable } from '../tables/expire-table.ts';
import { removeOrphanFiles } from '../tables/orphan-files.ts';
import { mayReadName } from '../tables/readable.ts';
import { rewriteManifests } from '../tables/rewrite-manifests.ts';
import { shownText } from '../tables/shown-metadata.ts';
import type { Table, TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { requireWrite } from '../tables/write-access.ts';
import { userTable } from './user-table.ts';

/** The recorded input of a compaction; 64-bit integers are text, as in all recorded inputs. */
export interface CompactInput {
  readonly table: string;
  readonly targetFileSizeBytes: string | null;
  readonly where: string | null;
  readonly dryRun: boolean;
}

export interface ExpireInput {
  readonly table: string;
  readonly olderThanMs: number;
  readonly keepLast: number;
  readonly dryRun: boolean;
}

export interface OrphanInput {
  readonly table: string;
  readonly olderThanMs: number;
  readonly dryRun: boolean;
}

export interface ManifestInput {
  readonly table: string;
  readonly dryRun: boolean;
}

export interface ExpireResult {
  readonly removed: readonly string[];
  readonly kept: readonly { readonly snapshotId: string; readonly heldBy: readonly string[] }[];
}

export interface OrphanResult {
  readonly files: readonly string[];
  readonly bytes: string;
  readonly truncated: boolean;
}

export interface MaintenanceOptions {
  readonly catalog: Catalog;
  readonly tables: Tables;
  readonly runs: Runs;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
}

/** Keeping tables in shape, each as a run: readers of what is kept notice nothing. */
export class Maintenance {
  readonly #options: MaintenanceOptions;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    const kind = 'MAINTENANCE';
    const showsTo = async ({ input }: Run): Promise<boolean> =>
      mayReadName(options.tables, (input as { readonly table: string }).table);
    options.runs.register('compactTable', { kind, showsTo, handler: (context) => this.#compact(context) });
    options.runs.register('expireSnapshots', { kind, showsTo, handler: (context) => this.#expire(context) });
    options.runs.register('removeOrphanFiles', { kind, showsTo, handler: (context) => this.#removeOrphans(context) });
    options.runs.register('rewriteManifests', { kind, showsTo, handler: (context) => this.#rewriteManifests(context) });
  }

  /** Small files become fewer and whole ones. Throws NOT_FOUND, FORBIDDEN. */
  compact(call: Call, input: CompactInput): Promise<Run> {
    return this.#start(call, 'compactTable', input);
  }

  /** Fewer manifests, each of one partitioning. Throws NOT_FOUND, FORBIDDEN. */
  rewriteManifests(call: Call, input: ManifestInput): Promise<Run> {
    return this.#start(call, 'rewriteManifests', input);
  }

  /** Answers when it is done, with what went and what stayed. Throws NOT_FOUND, FORBIDDEN, TIMEOUT where it goes on behind. */
  async expire(call: Call, input: ExpireInput): Promise<{ readonly run: Run; readonly result: ExpireResult }> {
    const run = await this.#ended(await this.#start(call, 'expireSnapshots', input));
    return { run, result: run.result as ExpireResult };
  }

  /** The same for files that nothing refers to. */
  async removeOrphans(call: Call, input: OrphanInput): Promise<{ readonly run: Run; readonly result: OrphanResult }> {
    const run = await this.#ended(await this.#start(call, 'removeOrphanFiles', input));
    return { run, result: run.result as OrphanResult };
  }

  async #start(call: Call, operation: string, input: { readonly table: string }): Promise<Run> {
    requireRole(call.caller, 'admin', 'maintain tables');
    await requireWrite(this.#options.tables, userTable(input.table), 'maintain the table');
    return startRun(this.#options, call, operation, async () => {
      await this.#options.tables.load(userTable(input.table));
      return input;
    });
  }

  async #ended(started: Run): Promise<Run> {
    const run = await this.#options.runs.ended(started.id, AbortSignal.timeout(maintenanceAnswerMsMax));
    if (run.status === 'SUCCEEDED') return run;
    if (run.status === 'RUNNING') {
      throw new IcecoreError('TIMEOUT', `It is taking longer than an answer may: run ${run.id} goes on, look at it by its id.`, {
        context: { runId: run.id },
      });
    }
    throw new IcecoreError('FAILED_PRECONDITION', run.error ?? `Run ${run.id} was ${run.status.toLowerCase()}.`, {
      context: { runId: run.id },
    });
  }

  async #compact(context: RunContext): Promise<void> {
    const { table, targetFileSizeBytes, where, dryRun } = context.input as CompactInput;
    const outcome = await compactTable(this.#options.tables, {
      identifier: parseIdentifier(table),
      ...(targetFileSizeBytes === null ? {} : { targetFileSizeBytes: BigInt(targetFileSizeBytes) }),
      ...(where === null ? {} : { where }),
      dryRun,
      signal: context.signal,
      record: (transaction, { table: before, snapshotId }) => {
        transaction.link(this.#link(context.caller, 'compactTable', before, { table, snapshotId }, snapshotId));
        context.finish(transaction, {
          result: { snapshotId: String(snapshotId) },
          inputs: current(before),
          outputs: [{ tableUuid: before.uuid, tableName: table, snapshotId }],
        });
      },
    });
    context.progress(outcome.rows, outcome.rows);
    // Not whether anything was recorded: another may have been first, and have left nothing to do.
    if (outcome.snapshot !== null) return;
    const { filesBefore, filesAfter } = outcome;
    await this.#finish(context, {
      result: { snapshotId: null, filesBefore, filesAfter },
      inputs: current(outcome.table),
      outputs: [],
    });
  }

  async #expire(context: RunContext): Promise<void> {
    const { table, olderThanMs, keepLast, dryRun } = context.input as ExpireInput;
    const {
      removed,
      kept,
      table: after,
    } = await expireTable(this.#options.tables, {
      identifier: parseIdentifier(table),
      olderThanMs,
      keepLast,
      dryRun,
      signal: context.signal,
      record: (transaction, before) => {
        // What the snapshots came from would be forgotten with them.
        const { removedSnapshotIds } = expiry(before.metadata, { olderThanMs, keepLast, nowMs: nowMs(this.#options.clock) });
        const edges = expiryEdges(before, removedSnapshotIds);
        for (const entry of this.#options.lineage.drafts(edges, context.caller)) transaction.entry(entry);
        transaction.link(this.#link(context.caller, 'expireSnapshots', before, { table, olderThanMs, keepLast }));
      },
    });
    const { access } = this.#options.tables;
    const { metadata } = await access.asServer(() => this.#options.tables.load(after.identifier));
    const shown = (tag: string): string => shownText(access, metadata, tag);
    const result: ExpireResult = {
      removed: removed.map(String),
      kept: kept.map(({ snapshotId, heldBy }) => ({ snapshotId: String(snapshotId), heldBy: heldBy.map(shown) })),
    };
    await this.#finish(context, { result, inputs: [], outputs: current(after) });
  }

  async #removeOrphans(context: RunContext): Promise<void> {
    const { table, olderThanMs, dryRun } = context.input as OrphanInput;
    const identifier = parseIdentifier(table);
    const { files, bytes, truncated } = await removeOrphanFiles(this.#options.tables, {
      identifier,
      olderThanMs,
      dryRun,
      signal: context.signal,
    });
    const result: OrphanResult = { files, bytes: String(bytes), truncated };
    await this.#finish(context, { result, inputs: [], outputs: [] });
  }

  async #rewriteManifests(context: RunContext): Promise<void> {
    const { table: name, dryRun } = context.input as ManifestInput;
    const outcome = await rewriteManifests(this.#options.tables, {
      identifier: parseIdentifier(name),
      dryRun,
      signal: context.signal,
      record: (transaction, { table: before, snapshotId }) => {
        transaction.link(this.#link(context.caller, 'rewriteManifests', before, { table: name, snapshotId }, snapshotId));
        context.finish(transaction, {
          result: { snapshotId: String(snapshotId) },
          inputs: current(before),
          outputs: [{ tableUuid: before.uuid, tableName: name, snapshotId }],
        });
      },
    });
    if (outcome.snapshot !== null) return;
    await this.#finish(context, { result: { snapshotId: null }, inputs: current(outcome.table), outputs: [] });
  }

  #link(caller: Caller, action: string, table: Table, payload: unknown, snapshotId: bigint | null = null): ChainLink {
    const subject = auditSubject({ kind: 'TABLE', uuid: table.uuid, version: snapshotId === null ? null : String(snapshotId) });
    return this.#options.audit.link({ caller, action, subject, outcome: 'SUCCEEDED', payload });
  }

  async #finish(context: RunContext, outcome: RunOutcome): Promise<void> {
    const transaction = context.transaction();
    context.finish(transaction, outcome);
    await transaction.commit();
  }
}

function current({ identifier, metadata, uuid }: Table): readonly TableSnapshotRef[] {
  const snapshotId = metadata.currentSnapshotId;
  return snapshotId === null ? [] : [{ tableUuid: uuid, tableName: printIdentifier(identifier), snapshotId }];
}
