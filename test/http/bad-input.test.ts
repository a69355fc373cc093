import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestBodyBytesMax } from '../../src/limits.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const keys = [
  { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['scientist', 'approver', 'admin'] },
  { key: 'key-of-ben', subject: 'ben', kind: 'HUMAN', roles: ['approver'] },
  { key: 'key-of-bot', subject: 'bot', kind: 'AGENT', roles: ['scientist', 'approver'] },
  { key: 'key-of-vera', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] },
  { key: 'key-of-old', subject: 'old', kind: 'SERVICE', roles: ['admin'], expiresAt: '2001-01-01T00:00:00Z' },
];

let server: TestServer;
let filesDirectory: string;

beforeAll(async () => {
  server = await startTestServer({ keys: JSON.stringify(keys) });
  filesDirectory = join(server.directory, 'files');
  await mkdir(filesDirectory);
  await data(`mutation { createTable(input: { name: "raw.flights", columns: [
    { name: "id", type: "long", required: true }, { name: "origin", type: "string" }, { name: "delay", type: "int" }, { name: "on", type: "date" }
  ] }) { table { id } } }`);
  await data(`mutation { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { json: [
    { id: "1", origin: "SFO", delay: 4, on: "2001-01-01" }, { id: "2", origin: "JFK", delay: null, on: "2001-01-02" }
  ] } }) { rowsAdded } }`);
  await data('mutation { registerModel(input: { name: "late" }) { model { id } } }');
  await data(`mutation { registerModelVersion(input: { model: "late", trainedOn: { table: { name: "raw.flights" } }, artifactSha256: "${'0'.repeat(64)}",
    signature: { inputs: [{ name: "delay", type: "int" }], outputs: [{ name: "p", type: "double" }] } }) { modelVersion { id } } }`);
  await data(
    'mutation { submitModelVersion(input: { modelVersion: { model: "late", selector: { number: 1 } } }) { modelVersion { id } } }',
  );
});
afterAll(() => server.close());

// biome-ignore lint/suspicious/noExplicitAny: answers of any shape
async function data(query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
  const answer = await server.ask(query, variables, 'key-of-ada');
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

/** Expects a refusal: its code, and what its message says. */
async function refused(
  query: string,
  code: string,
  message: RegExp,
  options: { readonly key?: string; readonly variables?: object } = {},
) {
  const { errors, data: nothing } = await server.ask(query, { ...options.variables }, options.key ?? 'key-of-ada');
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  expect(errors?.[0]?.message).toMatch(message);
  for (const value of Object.values(nothing ?? {})) expect(value).toBeNull();
}

/** Whatever a refused request could have left: tables, snapshots, files, connections. */
async function everything() {
  // Refusals are on record: their entries move to their table now, not while we look.
  await server.icecore.ledger.flush();
  const { tables } = await data(
    '{ tables(first: 100) { edges { node { name kind currentSnapshot { snapshotId } refs { edges { node { name } } } } } } }',
  );
  const listed = tables.edges.map((edge: { readonly node: { readonly kind: string } }) => edge.node);
  const files = await readdir(server.directory, { recursive: true });
  const { trusted, guarded } = server.icecore.duckdb;
  return {
    tables: listed.filter((table: { readonly kind: string }) => table.kind !== 'SYSTEM'),
    files: files.filter((name) => /warehouse\/(?!icecore)|staging\/|spill\//.test(name)).toSorted(),
    leased: trusted.leased + guarded.leased,
  };
}

describe('nothing is left behind by', () => {
  let before: unknown;
  beforeEach(async () => {
    before = await everything();
    return async () => expect(await everything()).toEqual(before);
  });

  it('an unknown table', async () => {
    const named = /raw\.flihgts.*does not exist.*raw\.flights/;
    await refused(
      'mutation { writeRows(input: { table: "raw.flihgts", mode: APPEND, rows: { json: [] } }) { rowsAdded } }',
      'NOT_FOUND',
      named,
    );
    await refused('{ sql(statement: "SELECT * FROM raw.flihgts") { rows } }', 'NOT_FOUND', named);
    await refused('mutation { dropTable(input: { name: "raw.flihgts" }) { name } }', 'NOT_FOUND', named);
    await refused('mutation { compactTable(input: { table: "raw.flihgts" }) { run { id } } }', 'NOT_FOUND', named);
    expect(await data('{ table(name: "raw.flihgts") { id } }')).toEqual({ table: null });
  });

  it('an unknown column', async () => {
    await refused(
      '{ table(name: "raw.flights") { rows(select: ["dealy"]) { rows } } }',
      'BAD_USER_INPUT',
      /no column dealy.*delay/,
    );
    await refused(
      '{ table(name: "raw.flights") { rows(where: "dealy > 1") { rows } } }',
      'BAD_USER_INPUT',
      /no column dealy.*delay/,
    );
    await refused(
      '{ table(name: "raw.flights") { scanPlan(where: "dealy > 1") { filesTotal } } }',
      'BAD_USER_INPUT',
      /no column dealy/,
    );
    await refused('{ sql(statement: "SELECT dealy FROM raw.flights") { rows } }', 'BAD_USER_INPUT', /dealy/);
    const write =
      'mutation ($rows: [JSON!]) { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { json: $rows } }) { rowsAdded } }';
    await refused(write, 'BAD_USER_INPUT', /dealy/, { variables: { rows: [{ id: '3', dealy: 1 }] } });
    await refused(
      'mutation { alterTable(input: { name: "raw.flights", changes: [{ dropColumn: "dealy" }] }) { table { id } } }',
      'BAD_USER_INPUT',
      /no column dealy/,
    );
  });

  it('an unknown snapshot', async () => {
    await refused(
      '{ table(name: "raw.flights") { rows(asOf: { snapshotId: "123" }) { rows } } }',
      'NOT_FOUND',
      /raw\.flights.*snapshot 123/,
    );
    await refused('{ sql(statement: "SELECT * FROM raw.flights AT (VERSION => 123)") { rows } }', 'NOT_FOUND', /123/);
    await refused('{ table(name: "raw.flights") { rows(asOf: { ref: "mian" }) { rows } } }', 'NOT_FOUND', /mian/);
    await refused(
      'mutation { setSnapshotRef(input: { table: "raw.flights", name: "v1", type: TAG, snapshotId: "123" }) { ref { name } } }',
      'NOT_FOUND',
      /123/,
    );
    await refused(
      'mutation { rollbackTable(input: { table: "raw.flights", to: { snapshotId: "123" } }) { snapshot { id } } }',
      'NOT_FOUND',
      /123/,
    );
  });

  const wrongRows = [
    [{ id: 'one' }, /Row 1, column "id".*long/],
    [{ id: '9223372036854775808' }, /Row 1, column "id"/],
    [{ id: '3', delay: 'late' }, /Row 1, column "delay".*int/],
    [{ id: '3', delay: 1.5 }, /Row 1, column "delay"/],
    [{ id: '3', origin: 7 }, /Row 1, column "origin".*string/],
    [{ id: '3', on: '2001-02-30' }, /Row 1, column "on".*date/],
    [{ origin: 'SFO' }, /Row 1, column "id".*required/],
    ['a text', /Row 1 must be an object/],
  ] as const;

  it.each(wrongRows)('a row of the wrong type: %o', async (row, message) => {
    const write =
      'mutation ($rows: [JSON!]) { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { json: $rows } }) { rowsAdded } }';
    await refused(write, 'BAD_USER_INPUT', message, { variables: { rows: [{ id: '3' }, row] } });
  });

  it('a feature table without its keys', async () => {
    const columns = '[{ name: "origin", type: "string" }, { name: "at", type: "timestamptz" }, { name: "mean", type: "double" }]';
    const create = (rest: string) =>
      `mutation { createFeatureTable(input: { name: "features.origins", columns: ${columns}, ${rest} }) { featureTable { id } } }`;
    await refused(create('entityKeys: [], eventTime: "at"'), 'BAD_USER_INPUT', /features\.origins.*entity key/is);
    await refused(create('entityKeys: ["airport"], eventTime: "at"'), 'BAD_USER_INPUT', /airport/);
    await refused(create('entityKeys: ["origin"], eventTime: "hour"'), 'BAD_USER_INPUT', /hour/);
    await refused(create('entityKeys: ["origin"], eventTime: "mean"'), 'BAD_USER_INPUT', /mean/);
    await refused(create('eventTime: "at"'), 'BAD_USER_INPUT', /entityKeys/);
    await refused(
      'mutation { createFeatureTable(input: { name: "raw.flights", entityKeys: ["airport"], eventTime: "on" }) { featureTable { id } } }',
      'BAD_USER_INPUT',
      /airport/,
    );
    expect(await data('{ featureTables { edges { node { name } } } }')).toEqual({ featureTables: { edges: [] } });
  });

  it('a file outside the allowed directories, by whatever way', async () => {
    const outside = join(server.directory, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret.parquet'), 'PAR1');
    await symlink(outside, join(filesDirectory, 'way-out'));
    for (const file of [
      '/etc/passwd',
      join(outside, 'secret.parquet'),
      join(filesDirectory, '../outside/secret.parquet'),
      join(filesDirectory, 'way-out/secret.parquet'),
      'file:///etc/passwd',
      's3://other/secret.parquet',
      'https://example.org/secret.parquet',
    ]) {
      const write = `mutation ($file: String!) { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { file: $file } }) { rowsAdded } }`;
      await refused(write, 'BAD_USER_INPUT', /ICECORE_FILE_ROOTS/, { variables: { file } });
    }
  });

  it('a file that is no Parquet, or is not there', async () => {
    const write = `mutation ($file: String!) { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { file: $file } }) { rowsAdded } }`;
    const files = {
      'rows.csv': 'id,origin\n3,SFO\n',
      'cut.parquet': 'PAR1',
      'empty.parquet': '',
      'lies.parquet': `PAR1${'x'.repeat(100)}PAR1`,
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(filesDirectory, name), content);
      await refused(write, 'BAD_USER_INPUT', new RegExp(`${name}.*Parquet`, 'is'), {
        variables: { file: join(filesDirectory, name) },
      });
    }
    await refused(write, 'BAD_USER_INPUT', /none\.parquet/, { variables: { file: join(filesDirectory, 'none.parquet') } });
  });

  const statements = [
    ["SELECT * FROM read_csv('/etc/passwd')", /read_csv/],
    ["SELECT * FROM read_text('/etc/passwd')", /read_text/],
    ["SELECT * FROM '/etc/passwd'", /passwd/],
    ["SELECT * FROM 'secret.parquet'", /secret\.parquet/],
    ["SELECT getenv('HOME')", /getenv/],
    ["SET memory_limit = '1TB'", /SELECT/],
    ['PRAGMA database_list', /SELECT/],
    ["ATTACH '/tmp/other.db' AS other", /SELECT/],
    ['SELECT 1; SELECT 2', /one SELECT/],
    ["COPY (SELECT 1) TO '/tmp/out.parquet'", /SELECT/],
    ['INSTALL httpfs', /SELECT/],
    ['DROP TABLE raw.flights', /SELECT/],
    ['SELECT * FROM duckdb_settings()', /duckdb_settings/],
    ["SELECT current_setting('memory_limit')", /current_setting/],
  ] as const;

  it.each(statements)('the statement %s, wherever a SELECT is taken', async (statement, message) => {
    const variables = { statement };
    await refused('query ($statement: String!) { sql(statement: $statement) { rows } }', 'BAD_USER_INPUT', message, {
      variables,
    });
    await refused(
      'mutation ($statement: String!) { writeRows(input: { table: "raw.flights", mode: APPEND, rows: { sql: $statement } }) { rowsAdded } }',
      'BAD_USER_INPUT',
      message,
      { variables },
    );
    const define = `mutation ($statement: String!) { createFeatureTable(input: { name: "features.f", entityKeys: ["origin"], eventTime: "at", definition: $statement,
      columns: [{ name: "origin", type: "string" }, { name: "at", type: "timestamptz" }, { name: "n", type: "long" }] }) { featureTable { id } } }`;
    await refused(define, 'BAD_USER_INPUT', message, { variables });
  });

  it('what a caller has no role for', async () => {
    await refused('mutation { dropTable(input: { name: "raw.flights" }) { name } }', 'FORBIDDEN', /vera.*admin/, {
      key: 'key-of-vera',
    });
    await refused(
      'mutation { createTable(input: { name: "icecore.audit_log", columns: [{ name: "a", type: "long" }] }) { table { id } } }',
      'FORBIDDEN',
      /icecore/,
    );
  });
});

describe('an approval', () => {
  const approve = `mutation ($digest: String!) { reviewModelVersion(input: { modelVersion: { model: "late", selector: { number: 1 } },
    expectedDigest: $digest, decision: APPROVE, meaning: "fit for use" }) { modelVersion { status } } }`;
  const version = '{ model(name: "late") { version(number: 1) { status digest approvedBy { id } decisions { kind } } } }';

  it.each([
    ['its author', 'key-of-ada', /ada.*author/is],
    ['an agent', 'key-of-bot', /bot.*human|human.*bot/is],
    ['a viewer', 'key-of-vera', /approver/],
  ])('by %s is refused, changes nothing, and is on record', async (_, key, message) => {
    const { digest } = (await data(version)).model.version;
    const entries = await refusals();
    await refused(approve, 'FORBIDDEN', message, { key, variables: { digest } });
    expect((await data(version)).model.version).toEqual({ status: 'SUBMITTED', digest, approvedBy: null, decisions: [] });
    expect((await refusals()).length).toBe(entries.length + 1);
  });

  it('of something else than was read is a conflict', async () => {
    await refused(approve, 'CONFLICT', /digest/, { key: 'key-of-ben', variables: { digest: 'f'.repeat(64) } });
    expect((await data(version)).model.version.status).toBe('SUBMITTED');
  });

  async function refusals() {
    const { auditLog } = await data('{ auditLog(first: 100) { edges { node { action outcome actor { id } } } } }');
    const entries = auditLog.edges.map(
      (edge: { readonly node: { readonly action: string; readonly outcome: string } }) => edge.node,
    );
    return entries.filter(
      (entry: { readonly action: string; readonly outcome: string }) =>
        entry.action === 'reviewModelVersion' && entry.outcome !== 'SUCCEEDED',
    );
  }
});

describe('a caller', () => {
  it('with an expired, an unknown or no key is told why, and nothing else', async () => {
    const told = [
      ['key-of-old', /expired.*2001-01-01/],
      ['key-of-nobody', /not known/],
      [undefined, /Authorization: Bearer/],
    ] as const;
    for (const [key, message] of told) {
      const { status, errors, data: nothing } = await server.ask('{ tables { edges { node { name } } } }', {}, key);
      expect([status, nothing ?? null]).toEqual([401, null]);
      expect(errors).toMatchObject([{ message: expect.stringMatching(message), extensions: { code: 'UNAUTHENTICATED' } }]);
    }
  });

  it('with a body over the limit is told the way for bulk', async () => {
    const response = await fetch(`${server.origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer key-of-ada' },
      body: JSON.stringify({ query: '{ __typename }', variables: { filling: 'x'.repeat(requestBodyBytesMax) } }),
    });
    expect(response.status).toBe(413);
    const { errors } = (await response.json()) as {
      readonly errors: readonly { readonly message: string; readonly extensions: object }[];
    };
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors[0]?.message).toMatch(/\/tables\/NAME\/rows/);
    expect(await data('{ __typename }')).toEqual({ __typename: 'Query' });
  });
});
