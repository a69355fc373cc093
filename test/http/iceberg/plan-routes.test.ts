import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deletedFilePathId } from '../../../src/iceberg/delete-index.ts';
import { encodeSingleValue } from '../../../src/iceberg/single-value.ts';
import { planIdBytesMax, scanTasksPerAnswerMax } from '../../../src/limits.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { PlannedTable, plannedFile } from './planned-table.ts';
import { askRest, refusalOf } from './rest-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

const tablePath = (table: string) => `/v1/namespaces/plans/tables/${table}`;
const plan = (table: string, body: unknown = {}, headers = {}) => askRest(server, `${tablePath(table)}/plan`, { body, headers });
const fetchTasks = (table: string, planTask: unknown) =>
  askRest(server, `${tablePath(table)}/tasks`, { body: { 'plan-task': planTask } });
const create = (table: string, columns: readonly (readonly [string, string])[], partitionBy: readonly string[] = []) =>
  PlannedTable.create(server.icecore.tables, `plans.${table}`, {
    columns: columns.map(([name, type]) => ({ name, type })),
    partitionBy: partitionBy.map((text) => {
      const [column = '', transform = 'identity'] = text.split(':');
      return { column, transform };
    }),
  });

/** Names of the files of an answer's tasks. */
const pathsOf = (body: { 'file-scan-tasks': readonly { 'data-file': { 'file-path': string } }[] }) =>
  body['file-scan-tasks'].map((task) => task['data-file']['file-path']);
const long = (value: bigint) => encodeSingleValue('long', value);
const range = (fieldId: number, from: bigint, to: bigint) => ({
  valueCounts: new Map([[fieldId, 10n]]),
  nullValueCounts: new Map([[fieldId, 0n]]),
  lowerBounds: new Map([[fieldId, long(from)]]),
  upperBounds: new Map([[fieldId, long(to)]]),
});

describe('a plan over REST', () => {
  it('names the files that may match, with their deletes, what is left of the filter, and the metrics asked for', async () => {
    const columns = [
      ['id', 'long'],
      ['day', 'date'],
    ] as const;
    const table = await create('orders', columns, ['day']);
    await table.commit([
      plannedFile('a', { partition: [10], ...range(1, 1n, 5n), splitOffsets: [4n], sortOrderId: 0 }),
      plannedFile('b', { partition: [10], ...range(1, 6n, 9n) }),
      plannedFile('c', { partition: [11] }),
    ]);
    const onlyB = new Map([[deletedFilePathId, Buffer.from('b')]]);
    await table.commit(
      [
        plannedFile('positions', { content: 'position-deletes', partition: [10] }),
        plannedFile('positions-of-b', { content: 'position-deletes', partition: [10], lowerBounds: onlyB, upperBounds: onlyB }),
        plannedFile('keys', { content: 'equality-deletes', partition: [11], equalityIds: [1] }),
      ],
      'delete',
    );
    const filter = {
      type: 'and',
      left: { type: 'eq', term: 'day', value: '1970-01-11' },
      right: { type: 'gt', term: 'id', value: 3 },
    };
    const { status, body } = await plan('orders', { filter, 'stats-fields': ['id'] });
    expect(status).toBe(200);
    const file = (path: string) => ({
      'spec-id': 0,
      content: 'data',
      'file-path': path,
      'file-format': 'parquet',
      partition: ['1970-01-11'],
      'file-size-in-bytes': 100,
      'record-count': 10,
      'column-sizes': { keys: [], values: [] },
      'value-counts': { keys: [1], values: [10] },
      'null-value-counts': { keys: [1], values: [0] },
      'nan-value-counts': { keys: [], values: [] },
    });
    const deletes = (path: string) => ({ ...file(path), content: 'position-deletes' });
    const { 'plan-id': planId, ...answer } = body;
    expect(answer).toEqual({
      status: 'completed',
      'delete-files': [deletes('positions'), deletes('positions-of-b')].map((json) => withoutMetrics(json)),
      'file-scan-tasks': [
        {
          'data-file': {
            ...file('a'),
            'lower-bounds': { keys: [1], values: ['0100000000000000'] },
            'upper-bounds': { keys: [1], values: ['0500000000000000'] },
            'split-offsets': [4],
            'sort-order-id': 0,
          },
          'delete-file-references': [0],
          'residual-filter': { type: 'gt', term: 'id', value: 3 },
        },
        {
          'data-file': {
            ...file('b'),
            'lower-bounds': { keys: [1], values: ['0600000000000000'] },
            'upper-bounds': { keys: [1], values: ['0900000000000000'] },
          },
          'delete-file-references': [1, 0],
          'residual-filter': true,
        },
      ],
    });
    const again = await askRest(server, `${tablePath('orders')}/plan/${planId}`);
    expect(again.body).toEqual(answer);
    const plain = await plan('orders', { filter: { type: 'eq', term: 'DAY', value: 11 }, 'case-sensitive': false });
    expect(plain.body['delete-files']).toEqual([expect.objectContaining({ content: 'equality-deletes', 'equality-ids': [1] })]);
    expect(plain.body['file-scan-tasks']).toEqual([
      {
        'data-file': withoutMetrics({ ...file('c'), partition: ['1970-01-12'] }),
        'delete-file-references': [0],
        'residual-filter': true,
      },
    ]);
    expect((await askRest(server, `${tablePath('orders')}/plan/${planId}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('of many files comes in parts, each file once; the parts of a filter hold the filter', async () => {
    const table = await create('many', [['id', 'long']]);
    const filesTotal = 2 * scanTasksPerAnswerMax + 100;
    const file = (id: number) => plannedFile(`file-${id}`, range(1, BigInt(id), BigInt(id)));
    await table.commit(Array.from({ length: filesTotal }, (_, id) => file(id)));
    await table.commit([file(filesTotal)]);
    const drawn = async (body: unknown) => {
      const first = (await plan('many', body)).body;
      const paths = [...pathsOf(first)];
      const waiting = [...(first['plan-tasks'] ?? [])];
      for (let planTask = waiting.shift(); planTask !== undefined; planTask = waiting.shift()) {
        const { status, body: part } = await fetchTasks('many', planTask);
        expect(status).toBe(200);
        expect(part['file-scan-tasks'].length).toBeLessThanOrEqual(scanTasksPerAnswerMax);
        paths.push(...pathsOf(part));
        waiting.push(...(part['plan-tasks'] ?? []));
      }
      return paths;
    };
    const all = await drawn({});
    expect(all.length).toBe(filesTotal + 1);
    expect(new Set(all).size).toBe(filesTotal + 1);
    const some = await drawn({ filter: { type: 'gt-eq', term: 'id', value: 4000 } });
    expect(some.toSorted()).toEqual(all.filter((path) => Number(path.slice(5)) >= 4000).toSorted());
    expect(await drawn({ filter: { type: 'eq', term: 'id', value: 4000 } })).toEqual(['file-4000']);
  });

  it('of a plan too long for a path answers no GET, and its plan tasks all the same', async () => {
    const values = Array.from({ length: 20_000 }, (_, index) => index * 7919);
    const body = {
      filter: { type: 'or', left: { type: 'in', term: 'id', values }, right: { type: 'gt', term: 'id', value: 1 } },
    };
    const first = (await plan('many', body)).body;
    expect(first['plan-id'].length).toBeLessThan(planIdBytesMax);
    const [planTask] = first['plan-tasks'];
    expect((await fetchTasks('many', planTask)).body['file-scan-tasks'].length).toBeGreaterThan(0);
    const again = await askRest(server, `${tablePath('many')}/plan/${first['plan-id']}`);
    expect(refusalOf(again)).toContain('404 NoSuchPlanIdException');
  });

  it('refuses plan tasks and ids that are made up, of another table, or of a snapshot that is gone', async () => {
    await create('empty', [['id', 'long']]);
    const { body } = await plan('many');
    for (const planTask of ['x', '', '0-0-1.x', body['plan-tasks'][0].slice(0, -3), `9-0-1.${body['plan-id']}`]) {
      expect(refusalOf(await fetchTasks('many', planTask))).toContain('404 NoSuchPlanTaskException');
    }
    expect(refusalOf(await fetchTasks('empty', body['plan-tasks'][0]))).toContain('404 NoSuchPlanTaskException');
    expect(refusalOf(await askRest(server, `${tablePath('empty')}/plan/${body['plan-id']}`))).toContain('404 NoSuchPlanId');
    const cancelled = await askRest(server, `${tablePath('many')}/plan/nothing`, { method: 'DELETE' });
    expect(refusalOf(cancelled)).toContain('404 NoSuchPlanIdException');
    expect(refusalOf(await plan('nowhere'))).toBe('404 NoSuchTableException: Table does not exist: plans.nowhere');
    expect(refusalOf(await fetchTasks('nowhere', 'x'))).toContain('404 NoSuchTableException');
    expect(refusalOf(await fetchTasks('many', 3))).toContain('400 BadRequestException');
  });

  it('is of the snapshot, and of the columns, that are asked for', async () => {
    const table = await create('history', [['id', 'long']]);
    expect((await plan('history')).body).toMatchObject({ status: 'completed', 'file-scan-tasks': [] });
    const first = await table.commit([plannedFile('one')]);
    const second = await table.commit([plannedFile('two')]);
    await table.commit([plannedFile('deleted-rows', { content: 'position-deletes' })], 'delete');
    const last = await table.commit([plannedFile('three')]);
    const at = async (body: unknown) => pathsOf((await plan('history', body)).body).toSorted();
    expect(await at({ 'snapshot-id': first })).toEqual(['one']);
    expect(await at({ 'snapshot-id': second, 'use-snapshot-schema': true })).toEqual(['one', 'two']);
    expect(await at({})).toEqual(['one', 'three', 'two']);
    const incremental = await plan('history', { 'start-snapshot-id': first, 'end-snapshot-id': last });
    expect(pathsOf(incremental.body).toSorted()).toEqual(['three', 'two']);
    expect(incremental.body['delete-files']).toBeUndefined();
    const refused = async (body: unknown) => refusalOf(await plan('history', body));
    expect(await refused({ 'snapshot-id': 7 })).toContain('400 BadRequestException: Cannot find snapshot with ID 7');
    expect(await refused({ 'start-snapshot-id': last, 'end-snapshot-id': first })).toContain('is not a parent ancestor of');
    expect(await refused({ 'start-snapshot-id': first })).toContain('endSnapshotId is required');
    expect(await refused({ 'snapshot-id': first, 'start-snapshot-id': first, 'end-snapshot-id': last })).toContain(
      'cannot provide both',
    );
    expect(await refused({ filter: { type: 'eq', term: 'idd', value: 1 } })).toContain(
      'There is no column idd. Did you mean id?',
    );
    expect(await refused({ filter: null })).toContain('400 BadRequestException: filter must be an object');
    expect(await refused({ 'stats-fields': ['nope'] })).toContain('There is no column nope');
  });

  it('gives what a predicate on buckets does not decide to the client, and what days decide to the files', async () => {
    const table = await create(
      'logs',
      [
        ['ts', 'timestamptz'],
        ['id', 'long'],
      ],
      ['ts:day'],
    );
    await table.commit([plannedFile('d1', { partition: [1] }), plannedFile('d2', { partition: [2] })]);
    const day = { type: 'eq', term: { type: 'transform', transform: 'day', term: 'ts' }, value: '1970-01-02' };
    const byDay = (await plan('logs', { filter: day })).body;
    expect(pathsOf(byDay)).toEqual(['d1']);
    const bucket = { type: 'eq', term: { type: 'transform', transform: 'bucket[4]', term: 'id' }, value: 3 };
    const filter = { type: 'and', left: bucket, right: day };
    const both = (await plan('logs', { filter })).body;
    expect(pathsOf(both)).toEqual(['d1']);
    expect(both['file-scan-tasks'][0]['residual-filter']).toEqual(filter);
  });

  it('stops at the rows that are enough, but not where metrics are asked for to read files in their order', async () => {
    expect(pathsOf((await plan('many', { 'min-rows-requested': 25 })).body).length).toBe(3);
    const ordered = await plan('many', { 'min-rows-requested': 25, 'stats-fields': ['id'] });
    expect(pathsOf(ordered.body).length).toBe(scanTasksPerAnswerMax);
  });

  it('leaves nulls among partition values out for PyIceberg alone, which cannot read them', async () => {
    const table = await create('nulls', [['id', 'long']], ['id']);
    await table.commit([plannedFile('null', { partition: [null] }), plannedFile('five', { partition: [5n] })]);
    const partitions = async (headers = {}) =>
      (await plan('nulls', {}, headers)).body['file-scan-tasks'].map(
        (task: { 'data-file': object }) => Object.entries(task['data-file']).find(([name]) => name === 'partition')?.[1],
      );
    expect(await partitions()).toEqual([[null], [5]]);
    expect(await partitions({ 'user-agent': 'PyIceberg/0.12.0' })).toEqual([undefined, [5]]);
  });

  it('is for those who may read the table: for others it is not there, with a plan task of somebody else too', async () => {
    const keys = JSON.stringify([
      { key: 'reader-key', subject: 'rosa', kind: 'HUMAN', roles: ['viewer'] },
      { key: 'other-key', subject: 'otis', kind: 'HUMAN', roles: ['viewer', 'scientist', 'admin'] },
    ]);
    const grants = JSON.stringify([{ subject: 'rosa', on: 'plans', may: 'read' }]);
    const guarded = await startTestServer({ keys, grants });
    try {
      const { access, tables } = guarded.icecore;
      await access.asServer(async () => {
        const table = await PlannedTable.create(tables, 'plans.secret', { columns: [{ name: 'id', type: 'long' }] });
        await table.commit(Array.from({ length: scanTasksPerAnswerMax + 1 }, (_, index) => plannedFile(`file-${index}`)));
      });
      const asked = (key: string) => askRest(guarded, `${tablePath('secret')}/plan`, { body: {}, key });
      const { body } = await asked('reader-key');
      expect(body['file-scan-tasks'].length).toBe(scanTasksPerAnswerMax);
      expect(refusalOf(await asked('other-key'))).toBe('404 NoSuchTableException: Table does not exist: plans.secret');
      const [planTask] = body['plan-tasks'];
      const request = { body: { 'plan-task': planTask } };
      const stolen = await askRest(guarded, `${tablePath('secret')}/tasks`, { ...request, key: 'other-key' });
      expect(refusalOf(stolen)).toBe('404 NoSuchTableException: Table does not exist: plans.secret');
      const own = await askRest(guarded, `${tablePath('secret')}/tasks`, { ...request, key: 'reader-key' });
      expect(pathsOf(own.body)).toEqual([`file-${scanTasksPerAnswerMax}`]);
    } finally {
      await guarded.close();
    }
  });

  it('is advertised, all of it', async () => {
    const { body } = await askRest(server, '/v1/config');
    const path = '/v1/{prefix}/namespaces/{namespace}/tables/{table}';
    expect(body.endpoints).toEqual(
      expect.arrayContaining([
        `POST ${path}/plan`,
        `GET ${path}/plan/{plan-id}`,
        `DELETE ${path}/plan/{plan-id}`,
        `POST ${path}/tasks`,
      ]),
    );
  });
});

function withoutMetrics(file: object): object {
  return Object.fromEntries(Object.entries(file).filter(([name]) => !/-(counts|sizes|bounds)$/.test(name)));
}
