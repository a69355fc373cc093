import { metricsReportBytesMax } from '../../limits.ts';
import { type IcebergAnswer, noContent } from './answer.ts';
import { parseJsonBody } from './json-body.ts';
import { tableOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';

/** What an engine says of a scan or a commit (REST specification: `reportMetrics`). */
export const metricsRoute: Route = {
  operation: 'reportMetrics',
  method: 'POST',
  path: '/v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
  answer: reportMetrics,
};

async function reportMetrics(request: IcebergRequest): Promise<IcebergAnswer> {
  const { icecore, caller } = request;
  const bytes = await request.bytes(metricsReportBytesMax);
  const report = { json: parseJsonBody(bytes), text: new TextDecoder().decode(bytes) };
  await icecore.metricsReports.keep(caller, tableOf(request), report);
  return noContent;
}
