import { asString, member } from '../../iceberg/json-member.ts';
import { parseAccessDelegation } from '../../rest-catalog/access-delegation.ts';
import {
  cancelScanPlan,
  fetchScanPlan,
  fetchScanTasks,
  type PlannedScan,
  planTableScan,
  type ScanCall,
} from '../../rest-catalog/scan-planning.ts';
import { type IcebergAnswer, jsonAnswer, noContent } from './answer.ts';
import { parameter, tableOf } from './path-names.ts';
import { type PlanDialect, parsePlanRequest, scanTasksJson } from './plan-json.ts';
import type { IcebergRequest, Route } from './route.ts';
import { holderOf } from './table-extras.ts';

const tablePath = '/v1/{prefix}/namespaces/{namespace}/tables/{table}';
const planPath = `${tablePath}/plan/{plan-id}`;

/** The specification's operations of scan planning. */
export const planRoutes: readonly Route[] = [
  { operation: 'planTableScan', method: 'POST', path: `${tablePath}/plan`, answer: plan },
  { operation: 'fetchPlanningResult', method: 'GET', path: planPath, answer: fetchPlan },
  { operation: 'cancelPlanning', method: 'DELETE', path: planPath, answer: cancelPlan },
  { operation: 'fetchScanTasks', method: 'POST', path: `${tablePath}/tasks`, answer: fetchTasks },
];

async function plan(request: IcebergRequest): Promise<IcebergAnswer> {
  const planned = await planTableScan(callOf(request), parsePlanRequest(await request.json()));
  return completed(request, planned, { 'plan-id': planned.planId });
}

async function fetchPlan(request: IcebergRequest): Promise<IcebergAnswer> {
  return completed(request, await fetchScanPlan(callOf(request), parameter(request.parameters, 'plan-id')), {});
}

function completed(request: IcebergRequest, planned: PlannedScan, members: Readonly<Record<string, unknown>>): IcebergAnswer {
  const credentials = credentialsOf(request, planned);
  const given = credentials.length === 0 ? {} : { 'storage-credentials': credentials };
  const headers = credentials.length === 0 ? {} : { 'cache-control': 'no-store' };
  return jsonAnswer({ status: 'completed', ...members, ...scanTasksJson(planned, dialectOf(request)), ...given }, headers);
}

/** To read the planned files with, where the client asks for such. */
function credentialsOf(request: IcebergRequest, { table }: PlannedScan): readonly unknown[] {
  const delegation = parseAccessDelegation(request.headers['x-iceberg-access-delegation']);
  if (!delegation.has('vended-credentials')) return [];
  const { subject } = holderOf(request, table.identifier);
  return request.icecore.tableAccesses.credentials(table.metadata, { subject, access: 'read' });
}

async function cancelPlan(request: IcebergRequest): Promise<IcebergAnswer> {
  await cancelScanPlan(callOf(request), parameter(request.parameters, 'plan-id'));
  return noContent;
}

async function fetchTasks(request: IcebergRequest): Promise<IcebergAnswer> {
  const planTask = member(await request.json(), 'plan-task', asString, 'the request');
  return jsonAnswer(scanTasksJson(await fetchScanTasks(callOf(request), planTask), dialectOf(request)));
}

function callOf(request: IcebergRequest): ScanCall {
  return { tables: request.icecore.tables, caller: request.caller, identifier: tableOf(request), signal: request.signal };
}

/** PyIceberg (0.12) refuses a null among partition values, and does well without any. */
function dialectOf({ headers }: IcebergRequest): PlanDialect {
  return { omitsNullPartitions: headers['user-agent']?.startsWith('PyIceberg/') === true };
}
