import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, refusalOf } from './rest-client.ts';

let server: TestServer;
let uuid: string;
beforeAll(async () => {
  server = await startTestServer();
  await server.ask(
    'mutation { createTable(input: { name: "ns.t", columns: [{ name: "id", type: "long" }] }) { table { name } } }',
  );
  uuid = (await askRest(server, '/v1/namespaces/ns/tables/t')).body.metadata['table-uuid'];
});
afterAll(async () => server.close());

const report = (body: unknown, table = 't') => askRest(server, `/v1/namespaces/ns/tables/${table}/metrics`, { body });

async function kept(): Promise<readonly unknown[]> {
  const { data, errors } = await server.ask(
    '{ sql(statement: "SELECT table_uuid, table_name, report_type, snapshot_id, actor_id, report FROM icecore.metrics_reports ORDER BY reported_at, journal_seq") { rows } }',
  );
  expect(errors).toBeUndefined();
  return data.sql.rows;
}

describe('metrics reports', () => {
  it('are kept as they come, as rows of a table', async () => {
    const scan = `{"report-type":"scan-report","table-name":"main.ns.t","snapshot-id":9007199254740993,"filter":true,"schema-id":0,
      "projected-field-ids":[1],"projected-field-names":["id"],"metrics":{"total-planning-duration":{"count":1,"time-unit":"nanoseconds","total-duration":2644235116}}}`;
    const answer = await report(scan);
    expect([answer.status, answer.text]).toEqual([204, '']);
    const commit = {
      'report-type': 'commit-report',
      'table-name': 't',
      'snapshot-id': -1,
      'sequence-number': 1,
      operation: 'append',
      metrics: {},
    };
    expect((await report(commit)).status).toBe(204);
    const of = { table_uuid: uuid, table_name: 'ns.t', actor_id: 'local' };
    expect(await kept()).toEqual([
      { ...of, report_type: 'scan-report', snapshot_id: '9007199254740993', report: scan },
      { ...of, report_type: 'commit-report', snapshot_id: null, report: JSON.stringify(commit) },
    ]);
  });

  it('are asked for by SQL as the documents say', async () => {
    const scan = { 'report-type': 'scan-report', metrics: { 'result-data-files': { unit: 'count', value: 7 } } };
    await report(scan);
    const document = await readFile(new URL('../../../docs/iceberg-rest.md', import.meta.url), 'utf8');
    const statement = /```sql\n([^`]*metrics_reports[^`]*)```/.exec(document)?.[1];
    const { data } = await server.ask('query ($statement: String!) { sql(statement: $statement) { rows } }', { statement });
    expect(data.sql.rows).toEqual([{ table_name: 'ns.t', scans: '2', files: '7' }]);
  });

  it('are about a table that is there, of a kind that is known, and bounded', async () => {
    expect(refusalOf(await report({ 'report-type': 'scan-report' }, 'none'))).toBe(
      '404 NoSuchTableException: Table does not exist: ns.none',
    );
    expect(refusalOf(await report({ 'report-type': 'news' }))).toContain('400 BadRequestException: There is no report-type news');
    expect(refusalOf(await report({ 'snapshot-id': 1 }))).toContain('"report-type" is missing');
    expect(refusalOf(await report('[]'))).toContain('400 BadRequestException');
    expect((await report({ 'report-type': 'scan-report', filter: 'x'.repeat(140_000) })).status).toBe(400);
  });
});
