import { createHash } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { Expression } from '../iceberg/expression.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { appendsBetween, noSnapshot } from '../iceberg/incremental-scan.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import type { ScanRange } from '../iceberg/scan-manifests.ts';
import { type FileScanTask, matchingManifests, planScan } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import { planIdBytesMax, scanTasksPerAnswerMax } from '../limits.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { type OpenScan, openScan, type Planning } from './open-scan.ts';
import { missingPlan, parsePlanId, parsePlanTask, printPlanId, printPlanTask } from './plan-token.ts';
import { noSuchTable } from './refusal.ts';
import { scanParts } from './scan-parts.ts';
import { bindScan, type PlannableScan, plannableScan, type ScanPlanRequest } from './scan-request.ts';

/** A part of a plan: tasks, and what to ask for to get the others. */
export interface PlannedScan {
  readonly table: Table;
  readonly tasks: readonly FileScanTask[];
  /** The delete files of these tasks, each once. */
  readonly deleteFiles: readonly DataFile[];
  readonly planTasks: readonly string[];
  /** What residuals are bound to. */
  readonly schema: Schema;
  /** What rows are to be held against instead of the tasks' residuals, where these do not say all; null where they do. */
  readonly filter: Expression | null;
  /** Columns whose metrics belong in the tasks' files. */
  readonly statsFieldIds: ReadonlySet<number>;
}

export interface NewScanPlan extends PlannedScan {
  readonly planId: string;
}

/** Whose scan of which table. */
export interface ScanCall {
  readonly tables: Tables;
  readonly caller: Caller;
  readonly identifier: TableIdentifier;
  readonly signal: AbortSignal;
}

/**
 * Plans a scan (REST specification: `planTableScan`). It is always complete at once, and never kept: what is too much for one
 * answer comes by plan tasks, each a range of manifests that is planned when it is fetched, by whichever server. Throws
 * NOT_FOUND (`missing: 'table'`), and BAD_USER_INPUT for what the table has not.
 */
export async function planTableScan(call: ScanCall, request: ScanPlanRequest): Promise<NewScanPlan> {
  const table = await loadTable(call);
  const scan = plannableScan(table.metadata, request);
  const planId = printPlanId({ tableUuid: table.uuid, scan });
  const planned = await planParts(planningOf(call, table, scan, planId));
  return { ...planned, planId: planId.length <= planIdBytesMax ? planId : shortId(planId) };
}

/** An id under which nothing is found again: the plan's own is too long for a path. */
function shortId(planId: string): string {
  return createHash('sha256').update(planId).digest('hex');
}

/** The same again by its id (`fetchPlanningResult`). Throws NOT_FOUND (`missing: 'plan'`), also where a snapshot was expired since. */
export async function fetchScanPlan(call: ScanCall, planId: string): Promise<PlannedScan> {
  const table = await loadTable(call);
  const scan = parsePlanId(planId, table.uuid);
  checkStanding(table, scan, 'plan');
  return await planParts(planningOf(call, table, scan, planId));
}

/** Nothing is held for a plan, so there is nothing to let go of. Throws NOT_FOUND (`missing: 'plan'`) where the table has no such plan. */
export async function cancelScanPlan(call: ScanCall, planId: string): Promise<void> {
  const table = await loadTable(call);
  parsePlanId(planId, table.uuid);
}

/**
 * The tasks of a plan task (`fetchScanTasks`), and where they are too many for one answer, the plan task of the others.
 * Throws NOT_FOUND (`missing: 'planTask'`).
 */
export async function fetchScanTasks(call: ScanCall, planTask: string): Promise<PlannedScan> {
  const table = await loadTable(call);
  const { scan, range } = parsePlanTask(planTask, table.uuid);
  checkStanding(table, scan, 'planTask');
  return await planParts(planningOf(call, table, scan, planTask.slice(planTask.indexOf('.') + 1)), range);
}

async function loadTable({ tables, caller, identifier }: ScanCall): Promise<Table> {
  requireRole(caller, 'viewer', 'plan scans of tables');
  const table = await tables.find(identifier);
  if (table === null) throw noSuchTable(identifier);
  return table;
}

function planningOf({ tables, signal }: ScanCall, table: Table, scan: PlannableScan, planId: string): Planning {
  return { files: tables.files, table, scan, planId, signal };
}

/** Snapshots are expired and specs removed while clients work through their plans. */
function checkStanding({ metadata }: Table, scan: PlannableScan, missing: 'plan' | 'planTask'): void {
  try {
    bindScan(metadata, scan);
    if (scan.of === null) return;
    if ('snapshotId' in scan.of) {
      if (snapshotById(metadata, scan.of.snapshotId) === undefined) throw noSnapshot(scan.of.snapshotId);
    } else appendsBetween(metadata, scan.of);
  } catch (cause) {
    throw missingPlan(missing, cause);
  }
}

/** The first part of a range of the scan, or of the whole. However long a range is, an answer reads no more than its share. */
async function planParts(planning: Planning, range?: ScanRange): Promise<PlannedScan> {
  const open = await openScan(planning);
  const ranged = range === undefined ? open.request : { ...open.request, range };
  const [first = nothing, ...rest] = scanParts(matchingManifests(ranged), ranged.filter, planning.planId.length + 32);
  const isBegun = range !== undefined && first.from.manifest === range.from.manifest;
  return await planPart(planning, open, isBegun ? { ...first, from: range.from } : first, rest);
}

const nothing: ScanRange = { from: { manifest: 0, tasks: 0 }, untilManifest: 0 };

async function planPart(
  { table, scan, planId }: Planning,
  { request, isWidened }: OpenScan,
  range: ScanRange,
  rest: readonly ScanRange[],
): Promise<PlannedScan> {
  const plan = planScan({ ...request, range });
  const tasks: FileScanTask[] = [];
  let certainRows = 0n;
  let isEnough = false;
  let further: readonly ScanRange[] = [];
  for await (const task of plan.tasks()) {
    tasks.push(task);
    if (task.deletes.length === 0 && task.residual.op === 'true' && !isWidened) certainRows += task.file.recordCount;
    isEnough = scan.minRows !== null && certainRows >= scan.minRows;
    if (isEnough) break;
    if (tasks.length < scanTasksPerAnswerMax) continue;
    further = [{ from: { ...plan.position }, untilManifest: range.untilManifest }];
    break;
  }
  return {
    table,
    tasks,
    deleteFiles: [...new Set(tasks.flatMap(({ deletes }) => deletes))],
    planTasks: isEnough ? [] : [...further, ...rest].map((part) => printPlanTask(planId, part)),
    schema: request.schema,
    filter: isWidened ? scan.filter : null,
    statsFieldIds: new Set(scan.statsFieldIds),
  };
}
