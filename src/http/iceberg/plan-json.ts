import { IcecoreError } from '../../errors.ts';
import type { DataFile } from '../../iceberg/data-file.ts';
import type { BoundExpression, Expression } from '../../iceberg/expression.ts';
import { printExpressionJson } from '../../iceberg/expression-json.ts';
import { unbindExpression } from '../../iceberg/expression-unbind.ts';
import { asArrayOf, asBoolean, asLong, asString, type JsonObject, optionalMember } from '../../iceberg/json-member.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import type { PlannedScan } from '../../rest-catalog/scan-planning.ts';
import type { ScanPlanRequest } from '../../rest-catalog/scan-request.ts';
import { contentFileJson } from './content-file-json.ts';

/** A request to plan (REST specification: `PlanTableScanRequest`). Throws BAD_USER_INPUT. */
export function parsePlanRequest(body: JsonObject): ScanPlanRequest {
  const at = 'the request';
  const snapshotId = optionalMember(body, 'snapshot-id', asLong, at);
  const start = optionalMember(body, 'start-snapshot-id', asLong, at);
  const end = optionalMember(body, 'end-snapshot-id', asLong, at);
  optionalMember(body, 'select', asArrayOf(asString), at);
  const statsFields = optionalMember(body, 'stats-fields', asArrayOf(asString), at);
  const minRows = optionalMember(body, 'min-rows-requested', asLong, at);
  if (minRows !== undefined && minRows < 0n) throw refused('Invalid scan: minRowsRequested is negative');
  if (snapshotId !== undefined && (start !== undefined || end !== undefined)) {
    throw refused('Invalid scan: cannot provide both snapshotId and startSnapshotId/endSnapshotId');
  }
  if ((start === undefined) !== (end === undefined)) {
    throw refused('Invalid incremental scan: startSnapshotId and endSnapshotId is required');
  }
  return {
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(start === undefined || end === undefined ? {} : { incremental: { startExclusive: start, endInclusive: end } }),
    // A filter of null is refused and not taken as none: that would give more rows than were meant.
    filterJson: Object.hasOwn(body, 'filter') ? body.filter : true,
    isCaseSensitive: optionalMember(body, 'case-sensitive', asBoolean, at) ?? true,
    usesSnapshotSchema: optionalMember(body, 'use-snapshot-schema', asBoolean, at) ?? false,
    ...(statsFields === undefined ? {} : { statsFields }),
    ...(minRows === undefined ? {} : { minRows }),
  };
}

function refused(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}

/** The specification's `ScanTasks`. Delete files stand beside the tasks, which name them by their places. */
export function scanTasksJson(planned: PlannedScan, dialect: PlanDialect = {}): JsonObject {
  const { table, tasks, deleteFiles, planTasks, statsFieldIds } = planned;
  const print = contentFileJson(table.metadata, statsFieldIds);
  const fileJson = (file: DataFile) => {
    const json = print(file);
    return dialect.omitsNullPartitions === true && file.partition.includes(null) ? { ...json, partition: undefined } : json;
  };
  const places = new Map(deleteFiles.map((file, index) => [file, index] as const));
  const residual = residualJson(planned);
  const taskJson = (task: FileScanTask) => ({
    'data-file': fileJson(task.file),
    ...(task.deletes.length === 0 ? {} : { 'delete-file-references': task.deletes.flatMap((file) => places.get(file) ?? []) }),
    ...residual(task),
  });
  return {
    ...(deleteFiles.length === 0 ? {} : { 'delete-files': deleteFiles.map(fileJson) }),
    'file-scan-tasks': tasks.map(taskJson),
    ...(planTasks.length === 0 ? {} : { 'plan-tasks': planTasks }),
  };
}

/** What clients differ in. */
export interface PlanDialect {
  readonly omitsNullPartitions?: boolean;
}

function residualJson({ filter, schema }: PlannedScan): (task: FileScanTask) => JsonObject {
  const printed = new Map<BoundExpression, JsonObject>();
  return ({ residual }) => {
    if (filter !== null) return { 'residual-filter': printExpressionJson(filter) };
    const known = printed.get(residual);
    if (known !== undefined) return known;
    const json = printable(unbindExpression(schema, residual));
    printed.set(residual, json);
    return json;
  };
}

/** Without a residual clients take the whole filter. So they have to where it compares with infinity, which JSON has not. */
function printable(residual: Expression): JsonObject {
  try {
    return { 'residual-filter': printExpressionJson(residual) };
  } catch (error) {
    if (IcecoreError.is(error, 'BAD_USER_INPUT')) return {};
    throw error;
  }
}
