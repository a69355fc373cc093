import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../../src/iceberg/json.ts';
import { readMetadata } from '../../../src/iceberg/metadata-json.ts';
import { parseViewMetadata } from '../../../src/iceberg/view-json.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest } from './rest-client.ts';
import { createTable, schemaJson } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await createTable(server, 'fuzzed', 'table');
});
afterAll(async () => server.close());

const table = '/v1/namespaces/fuzzed/tables/table';
const identifier = { namespace: ['fuzzed'], name: 'table' };
const version = {
  'version-id': 1,
  'schema-id': 0,
  'timestamp-ms': 1,
  summary: { a: 'b' },
  representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'spark' }],
  'default-namespace': ['fuzzed'],
};
const snapshot = {
  'snapshot-id': 1,
  'parent-snapshot-id': 2,
  'sequence-number': 1,
  'timestamp-ms': 1,
  'manifest-list': 'file:///tmp/x',
  summary: { operation: 'append' },
  'schema-id': 0,
  'first-row-id': 1,
  'added-rows': 1,
};
const statistics = { 'snapshot-id': 1, 'statistics-path': 'file:///tmp/x', 'file-size-in-bytes': 1, 'blob-metadata': [] };
const spec = { 'spec-id': 0, fields: [{ name: 'd', transform: 'day', 'source-id': 2, 'field-id': 1000 }] };
const order = {
  'order-id': 1,
  fields: [{ transform: 'bucket[4]', 'source-id': 1, direction: 'asc', 'null-order': 'nulls-first' }],
};
const updates = [
  { action: 'assign-uuid', uuid: '11111111-1111-4111-8111-111111111111' },
  { action: 'upgrade-format-version', 'format-version': 3 },
  { action: 'add-schema', schema: schemaJson, 'last-column-id': 9 },
  { action: 'set-current-schema', 'schema-id': -1 },
  { action: 'add-spec', spec },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'add-sort-order', 'sort-order': order },
  { action: 'set-default-sort-order', 'sort-order-id': -1 },
  { action: 'add-snapshot', snapshot },
  { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 1, 'max-ref-age-ms': 1 },
  { action: 'remove-snapshots', 'snapshot-ids': [1] },
  { action: 'remove-snapshot-ref', 'ref-name': 'main' },
  { action: 'set-location', location: 'file:///tmp/x' },
  { action: 'set-properties', updates: { a: 'b' } },
  { action: 'remove-properties', removals: ['a'] },
  { action: 'remove-partition-specs', 'spec-ids': [0] },
  { action: 'remove-schemas', 'schema-ids': [0] },
  { action: 'set-statistics', 'snapshot-id': 1, statistics },
  { action: 'set-partition-statistics', 'partition-statistics': statistics },
  { action: 'remove-statistics', 'snapshot-id': 1 },
  { action: 'add-encryption-key', 'encryption-key': { 'key-id': 'a', 'encrypted-key-metadata': 'YQ==' } },
  { action: 'remove-encryption-key', 'key-id': 'a' },
];
const requirements = [
  { type: 'assert-create' },
  { type: 'assert-table-uuid', uuid: 'x' },
  { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
  { type: 'assert-current-schema-id', 'current-schema-id': 0 },
];
const new1 = {
  name: 'new',
  schema: schemaJson,
  'partition-spec': spec,
  'write-order': order,
  properties: { a: 'b' },
  'stage-create': true,
};

/** Requests that are right in shape, to be made wrong in one or more places. */
const requests: readonly (readonly [path: string, body: unknown])[] = [
  ['/v1/namespaces', { namespace: ['fuzzed'], properties: { a: 'b' } }],
  ['/v1/namespaces/fuzzed/properties', { removals: ['a'], updates: { b: 'c' } }],
  ['/v1/namespaces/fuzzed/tables', new1],
  ['/v1/namespaces/fuzzed/register', { name: 'again', 'metadata-location': 'file:///tmp/none.json', overwrite: false }],
  ['/v1/tables/rename', { source: { namespace: ['fuzzed'], name: 'none' }, destination: identifier }],
  ...updates.map((update) => [table, { identifier, requirements: [], updates: [update] }] as const),
  ...requirements.map((requirement) => [table, { requirements: [requirement], updates: [] }] as const),
  ['/v1/namespaces/fuzzed/tables/created', { requirements: requirements.slice(0, 1), updates }],
  ['/v1/transactions/commit', { 'table-changes': [{ identifier, requirements, updates }] }],
  [
    '/v1/namespaces/fuzzed/views',
    { name: 'view', schema: schemaJson, 'view-version': version, properties: {}, location: 'file:///tmp/x' },
  ],
  ['/v1/namespaces/fuzzed/views/view', { requirements: [], updates: [{ action: 'add-view-version', 'view-version': version }] }],
  [`${table}/metrics`, { 'report-type': 'scan-report', 'table-name': 'fuzzed.table', 'snapshot-id': 1, metrics: {} }],
  [`${table}/plan`, { 'snapshot-id': 1, select: ['id'], filter: { type: 'eq', term: 'id', value: 1 }, 'case-sensitive': true }],
  [`${table}/tasks`, { 'plan-task': 'made-up' }],
];

/** What stands where something else should. */
const wrong = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    'x',
    '\u0000',
    '🧊',
    '__proto__',
    'constructor',
    '..',
    -1,
    0,
    1.5,
    2147483648,
    [],
    {},
    [[]],
    [null],
  ),
  fc.constantFrom<unknown>(9_223_372_036_854_775_807n, -9_223_372_036_854_775_808n, 10n ** 30n, 1e300, 'x'.repeat(5000)),
  fc.constantFrom<unknown>('long', 'decimal(99,99)', 'fixed[99999999999]', 'truncate[0]', 'bucket[-1]', 'void', { type: 'list' }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** A copy of a value with something wrong at one of its places, which `at` picks. */
function spoilt(value: unknown, at: number, put: unknown): unknown {
  const paths: (readonly (string | number)[])[] = [];
  const visit = (item: unknown, path: readonly (string | number)[]): void => {
    paths.push(path);
    if (typeof item !== 'object' || item === null) return;
    for (const [key, each] of Object.entries(item)) visit(each, [...path, Array.isArray(item) ? Number(key) : key]);
  };
  visit(value, []);
  return withAt(value, paths[at % paths.length] ?? [], put);
}

function withAt(value: unknown, [first, ...rest]: readonly (string | number)[], put: unknown): unknown {
  if (first === undefined) return put;
  if (Array.isArray(value)) return value.map((item, index) => (index === first ? withAt(item, rest, put) : item));
  if (typeof value !== 'object' || value === null) return put;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === first ? withAt(item, rest, put) : item]));
}

/** With the locations in it where they are allowed, so that more is wrong than that. */
function atHome(body: unknown): unknown {
  const { warehouse } = server.icecore.tables;
  return parseJson(printJson(body).replaceAll('file:///tmp', `${warehouse}/fuzzed/place`));
}

describe('a body that is wrong in any place', () => {
  it('is refused, or taken, but never an error of the server', async () => {
    const runs = Number(process.env.HOSTILE_RUNS ?? 300);
    const spoils = fc.noBias(fc.array(fc.tuple(fc.nat({ max: 1000 }), wrong), { maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...requests), spoils, async ([path, body], places) => {
        const sent = places.reduce<unknown>((made, [at, put]) => spoilt(made, at, put), body);
        const answered = await askRest(server, path, { body: atHome(sent) });
        const { status, text } = answered;
        expect(status, `${path} ${text}`).toBeLessThan(500);
        // What is written has to be readable again: by whoever starts next, the file is all there is.
        const metadata = status === 200 ? answered.body?.metadata : undefined;
        if (metadata?.['table-uuid'] !== undefined) readMetadata(metadata, path);
        if (metadata?.['view-uuid'] !== undefined) parseViewMetadata(printJson(metadata), path);
        if (status >= 400) expect(Object.keys(JSON.parse(text).error)).toEqual(['message', 'type', 'code']);
      }),
      { numRuns: runs },
    );
    expect((await askRest(server, table)).status).toBe(200);
    expect((await server.ask('{ tables(first: 100) { edges { node { name } } } }')).errors).toBeUndefined();
  });
});
