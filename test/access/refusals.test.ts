import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { arrowType, eventType, rawBatches, subscribe, text } from '../feed/feed-client.ts';
import { eventPayloads } from '../http/event-stream.ts';
import { GuardedLakehouse, keyOf, secret, type Who } from './guarded-lakehouse.ts';

let lakehouse: GuardedLakehouse;
beforeAll(async () => {
  lakehouse = await GuardedLakehouse.open();
}, 120_000);
afterAll(() => lakehouse.close());

/** A question about a thing by its name, and by a name of nothing. */
type Question = readonly [query: string, hidden: string, absent: string];

const [hiddenTable, hiddenFeatures, hiddenScores] = [
  `secret.${secret}_vault`,
  `secret.${secret}_features`,
  `predictions.${secret}_scores`,
];
const [absentTable, absentScores] = [`secret.${secret}_nought`, `predictions.${secret}_nought`];

const digest = 'ef'.repeat(32);

/** What a caller is told about a thing by its name, the name left out. */
async function told(who: Who, query: string, name: string): Promise<string> {
  const answer = JSON.stringify(await lakehouse.ask(who, query.replaceAll('NAME', name)));
  const named = new RegExp(`(?<!\\w)${RegExp.escape(name)}(?!\\w)`, 'g');
  const told = answer.replaceAll(named, 'NAME').replaceAll(/"(line|column)":\d+/g, '"at":0');
  expect(lakehouse.hiddenTraces.filter((trace) => told.includes(trace))).toEqual([]);
  return told;
}

async function expectAlike(who: Who, questions: readonly Question[]): Promise<void> {
  for (const [query, hidden, absent] of questions) {
    const answer = await told(who, query, hidden);
    expect(answer, query).toEqual(await told(who, query, absent));
    expect(answer, query).not.toContain(secret);
  }
}

describe('what may not be read is refused in the words for what does not exist', () => {
  const questions: readonly Question[] = [
    ...[
      '{ table(name: "NAME") { id } }',
      '{ featureTable(name: "NAME") { id } }',
      '{ predictions(table: "NAME") { edges { cursor } } }',
      '{ trainingPlan(input: { source: { table: { name: "NAME" } } }) { rowsTotal } }',
      '{ prediction(table: "NAME", predictionId: "1") { id } }',
      '{ sql(statement: "SELECT * FROM NAME") { rows } }',
      '{ sql(statement: "SELECT count(*) FROM features.plain WHERE k IN (SELECT k FROM NAME)") { rows } }',
      '{ sql(statement: "WITH a AS (SELECT * FROM NAME) SELECT * FROM a") { rows } }',
      '{ sql(statement: "SELECT * FROM features.plain JOIN NAME USING (k)") { rows } }',
      '{ sql(statement: "SELECT * FROM features.plain UNION ALL SELECT * FROM NAME") { rows } }',
      `{ sql(statement: "SELECT * FROM NAME AT (TIMESTAMP => '2030-01-01')") { rows } }`,
      `{ sql(statement: "SELECT * FROM NAME AT (VERSION => 'main')") { rows } }`,
      '{ sql(statement: "SELECT * FROM NAME AT (VERSION => 1)") { rows } }',
      '{ sql(statement: "SUMMARIZE NAME") { rows } }',
      '{ sql(statement: "DESCRIBE NAME") { rows } }',
      'mutation { writeRows(input: { table: "NAME", rows: { json: [] } }) { rowsAdded } }',
      'mutation { writeRows(input: { table: "features.copy", rows: { sql: "SELECT * FROM NAME" } }) { rowsAdded } }',
      'mutation { alterTable(input: { name: "NAME", changes: [{ dropColumn: "x" }] }) { table { id } } }',
      'mutation { dropTable(input: { name: "NAME", purge: true }) { name } }',
      'mutation { createTable(input: { name: "NAME", columns: [{ name: "a", type: "long" }] }) { table { id } } }',
      'mutation { setSnapshotRef(input: { table: "NAME", name: "t", type: TAG, snapshotId: "1" }) { ref { name } } }',
      'mutation { rollbackTable(input: { table: "NAME", to: { snapshotId: "1" } }) { snapshot { id } } }',
      'mutation { expireSnapshots(input: { table: "NAME", olderThan: "2030-01-01T00:00:00Z" }) { removed } }',
      'mutation { removeOrphanFiles(input: { table: "NAME", olderThan: "2001-01-01T00:00:00Z" }) { files } }',
      'mutation { rewriteManifests(input: { table: "NAME" }) { run { id } } }',
      'mutation { compactTable(input: { table: "NAME" }) { run { id } } }',
      'mutation { createFeatureTable(input: { name: "NAME", entityKeys: ["k"], eventTime: "moment" }) { featureTable { id } } }',
      'mutation { updateFeatureTable(input: { name: "NAME", owner: "me" }) { featureTable { id } } }',
      'mutation { materializeFeatures(input: { featureTable: "NAME" }) { run { id } } }',
      'mutation { updateFeatureTable(input: { name: "features.plain", definition: "SELECT * FROM NAME" }) { featureTable { id } } }',
      'mutation { createFeatureSet(input: { name: "s", features: [{ table: "NAME", feature: "x" }] }) { featureSet { id } } }',
      `mutation { registerModelVersion(input: { model: "open-model", trainedOn: { table: { name: "NAME" } }, signature: { inputs: [{ name: "x", type: "double" }], outputs: [{ name: "y", type: "double" }] }, artifactSha256: "${digest}" }) { modelVersion { id } } }`,
      'mutation { createTrainingSet(input: { name: "new", spine: { source: { table: { name: "NAME" } }, eventTime: "moment" }, featureSet: "plain_set", featureSetVersion: 1 }) { run { id } } }',
    ].map((query): Question => [query, hiddenTable, absentTable]),
    ['{ featureTable(name: "NAME") { id } }', hiddenFeatures, absentTable],
    ['{ predictions(table: "NAME") { edges { cursor } } }', hiddenScores, absentScores],
    ['{ prediction(table: "NAME", predictionId: "1") { id } }', hiddenScores, absentScores],
    ...[
      '{ featureSet(name: "NAME") { id } }',
      '{ featureSet(name: "NAME", version: 1) { id } }',
      '{ featureVectors(featureSet: "NAME", entities: [{ k: 1 }]) { vectors } }',
      'mutation { createTrainingSet(input: { name: "new", spine: { source: { table: { name: "features.plain" } }, eventTime: "moment" }, featureSet: "NAME", featureSetVersion: 1 }) { run { id } } }',
    ].flatMap((query): readonly Question[] => [
      [query, `${secret}_set`, `${secret}_nought`],
      [query, `${secret}_mixed_set`, `${secret}_nought`],
    ]),
    ...[
      '{ trainingSet(name: "NAME") { id } }',
      '{ trainingSet(name: "NAME", version: 1) { id } }',
      '{ trainingPlan(input: { source: { trainingSet: { name: "NAME" } } }) { rowsTotal } }',
      'mutation { reproduceTrainingSet(input: { name: "NAME", version: 1 }) { run { id } } }',
      'mutation { createTrainingSet(input: { name: "NAME", spine: { source: { table: { name: "features.plain" } }, eventTime: "moment" }, featureSet: "plain_set", featureSetVersion: 1 }) { run { id } } }',
      `mutation { registerModelVersion(input: { model: "open-model", trainedOn: { trainingSet: { name: "NAME", version: 1 } }, signature: { inputs: [{ name: "x", type: "double" }], outputs: [{ name: "y", type: "double" }] }, artifactSha256: "${digest}" }) { modelVersion { id } } }`,
    ].map((query): Question => [query, `${secret}_training`, `${secret}_nought`]),
    ...[
      '{ model(name: "NAME") { id } }',
      'mutation { updateModel(input: { name: "NAME", owner: "me" }) { model { id } } }',
      'mutation { setModelAlias(input: { model: "NAME", alias: "a", version: 1 }) { alias { name } } }',
      'mutation { submitModelVersion(input: { modelVersion: { model: "NAME", selector: { number: 1 } } }) { modelVersion { id } } }',
      'mutation { reviewModelVersion(input: { modelVersion: { model: "NAME", selector: { number: 1 } }, expectedDigest: "", decision: REJECT, meaning: "no" }) { modelVersion { id } } }',
      'mutation { scoreBatch(input: { modelVersion: { model: "NAME", selector: { number: 1 } }, source: { table: { table: { name: "features.plain" }, entityKeys: ["k"], asOf: "moment" } }, into: "features.scores" }) { run { id } } }',
    ].map((query): Question => [query, `${secret}-model`, `${secret}-nought`]),
    ...[
      '{ model(name: "open-model") { version(number: NAME) { id } } }',
      'mutation { submitModelVersion(input: { modelVersion: { model: "open-model", selector: { number: NAME } } }) { modelVersion { id } } }',
    ].map((query): Question => [query, '2', '7']),
  ];

  test('to who sees other things, whatever their role', () => expectAlike('fay', questions));
  test('to an admin without grants', () => expectAlike('adm', questions));
  test('to who sees nothing', () => expectAlike('nil', questions));

  test('runs by their ids', async () => {
    const ids: readonly string[] = (
      await lakehouse.data('rita', '{ runs(kind: SCORING) { edges { node { id } } } }')
    ).runs.edges.map(({ node }: { readonly node: { readonly id: string } }) => node.id);
    const [id = ''] = ids;
    const plain = JSON.parse(Buffer.from(id, 'base64url').toString())[1] as string;
    const absent = '01900000-0000-7000-8000-000000000000';
    for (const query of ['{ run(id: "NAME") { id } }', 'mutation { cancelRun(input: { id: "NAME" }) { run { id } } }'])
      expect(await told('fay', query, plain)).toEqual(await told('fay', query, absent));
  });

  test('snapshots of hidden tables in SQL, and their files', async () => {
    const { access, tables } = lakehouse.server.icecore;
    const vault = await access.asServer(() => tables.load({ namespace: ['secret'], name: `${secret}_vault` }));
    const snapshotId = String(vault.metadata.currentSnapshotId);
    const query = (id: string) => `{ sql(statement: "SELECT * FROM ${hiddenTable} AT (VERSION => ${id})") { rows } }`;
    const refused = await lakehouse.ask('fay', query(snapshotId));
    expect(refused.errors?.[0]?.message).toBe((await lakehouse.ask('fay', query('12345'))).errors?.[0]?.message);
    // A snapshot of another table is none of this one.
    const other = await lakehouse.ask(
      'fay',
      `{ sql(statement: "SELECT * FROM features.plain AT (VERSION => ${snapshotId})") { rows } }`,
    );
    expect(other.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    for (const from of [
      `'${vault.metadata.location}/data/*.parquet'`,
      `read_parquet('${vault.metadata.location}/data/*.parquet')`,
    ]) {
      const { errors } = await lakehouse.ask('fay', 'query ($statement: String!) { sql(statement: $statement) { rows } }', {
        statement: `SELECT * FROM ${from}`,
      });
      expect(errors?.[0]?.extensions.code, from).toBe('BAD_USER_INPUT');
    }
    for (const from of ['information_schema.tables', 'duckdb_tables()', 'pg_catalog.pg_tables', 'duckdb_views()'])
      expect(
        (await lakehouse.ask('fay', `{ sql(statement: "SELECT * FROM ${from}") { rows } }`)).errors?.[0]?.extensions.code,
      ).toBe('BAD_USER_INPUT');
  });

  test('rows that are sent', async () => {
    const send = async (table: string) => {
      const response = await fetch(`${lakehouse.server.origin}/tables/${table}/rows`, {
        method: 'POST',
        headers: { 'content-type': arrowType, authorization: `Bearer ${keyOf('fay')}` },
        body: new Uint8Array(8),
      });
      return [response.status, (await response.text()).replaceAll(table, 'NAME')];
    };
    expect(await send(hiddenTable)).toEqual(await send(absentTable));
  });
});

describe('feeds', () => {
  const tableFeed = (name: string) =>
    `subscription { trainingBatches(input: { source: { table: { name: "${name}" } } }) { ipc rowCount } }`;
  const feeds: readonly (readonly [hidden: string, absent: string])[] = [
    [tableFeed(hiddenTable), tableFeed(absentTable)],
    ...[
      'trainingBatches(input: { source: { trainingSet: { name: "NAME" } } }) { rowCount }',
      'trainingBatches(input: { source: { trainingSet: { name: "NAME", version: 1 } } }) { rowCount }',
    ].map(
      (field) =>
        [
          `subscription { ${field.replace('NAME', `${secret}_training`)} }`,
          `subscription { ${field.replace('NAME', `${secret}_nought`)} }`,
        ] as const,
    ),
    ...[`sqlBatches(statement: "SELECT * FROM NAME") { rowCount }`, 'snapshotCommitted(table: "NAME") { id }'].map(
      (field) =>
        [
          `subscription { ${field.replace('NAME', hiddenTable)} }`,
          `subscription { ${field.replace('NAME', absentTable)} }`,
        ] as const,
    ),
  ];

  test('of what may not be read are refused as of what does not exist', async () => {
    for (const accept of [arrowType, eventType]) {
      for (const [hidden, absent] of feeds) {
        const answers = [];
        for (const query of [hidden, absent]) {
          const response = await subscribe({ origin: lakehouse.server.origin, query, accept, key: keyOf('fay') });
          const names = /_vault|_nought|_training/g;
          const body = (await text(response)).replaceAll(names, '').replaceAll(/"column":\d+/g, '');
          answers.push([response.statusCode, body]);
        }
        expect(answers[0], `${accept} ${hidden}`).toEqual(answers[1]);
        expect(JSON.stringify(answers[0])).toContain('NOT_FOUND');
      }
    }
  });

  test('of what may be read go on being read, each for its own caller', async () => {
    const { origin } = lakehouse.server;
    const raw = await subscribe({ origin, query: tableFeed('features.plain'), accept: arrowType, key: keyOf('fay') });
    expect((await rawBatches(raw)).reduce((sum, { recordBatch }) => sum + recordBatch.numRows, 0)).toBe(3);
    // Snapshots as they come, with what hangs on them, long after the call that asked for them is over.
    const query =
      'subscription { snapshotCommitted(table: "features.copy") { snapshotId table { name } producedBy { id } pinnedBy { edges { cursor } } } }';
    const streams = await Promise.all(
      (['fay', 'lou', 'rita'] as const).map(async (who) =>
        eventPayloads<SnapshotEvent>(await subscribe({ origin, query, accept: eventType, key: keyOf(who) })),
      ),
    );
    const firsts = streams.map((stream) => stream.next());
    // Whoever wrote it, each sees it with their own eyes.
    await lakehouse.data(
      'fay',
      'mutation { writeRows(input: { table: "features.copy", rows: { json: [{ k: "9" }] } }) { rowsAdded } }',
    );
    for (const first of firsts) {
      const { value } = await first;
      expect(value?.errors).toBeUndefined();
      expect(value?.data?.snapshotCommitted.table.name).toBe('features.copy');
    }
    await Promise.all(streams.map((stream) => stream.return()));
  });

  test('of models tell of those alone that show', async () => {
    const { origin } = lakehouse.server;
    const query = 'subscription { modelVersionChanged { model { name } version } }';
    const events = eventPayloads<ModelEvent>(await subscribe({ origin, query, accept: eventType, key: keyOf('fay') }));
    const first = events.next();
    const version =
      'signature: { inputs: [{ name: "x", type: "double" }], outputs: [{ name: "y", type: "double" }] }, artifactSha256: "' +
      'ef'.repeat(32) +
      '"';
    const register = (table: string) =>
      `mutation { registerModelVersion(input: { model: "open-model", trainedOn: { table: { name: "${table}" } }, ${version} }) { modelVersion { version } } }`;
    const hidden = await lakehouse.data('rita', register(hiddenTable));
    const shown = await lakehouse.data('fay', register('features.plain'));
    // The number after the one that fay does not see: numbers are never used twice.
    expect(shown.registerModelVersion.modelVersion.version).toBe(hidden.registerModelVersion.modelVersion.version + 1);
    expect((await first).value?.data?.modelVersionChanged.version).toBe(shown.registerModelVersion.modelVersion.version);
    await events.return();
  });
});

interface SnapshotEvent {
  readonly data?: { readonly snapshotCommitted: { readonly table: { readonly name: string } } };
  readonly errors?: unknown;
}

interface ModelEvent {
  readonly data?: { readonly modelVersionChanged: { readonly version: number } };
}

describe('reading alone', () => {
  test('lets nobody write, and says which grant is missing', async () => {
    for (const query of [
      'mutation { writeRows(input: { table: "features.plain", rows: { json: [] } }) { rowsAdded } }',
      'mutation { alterTable(input: { name: "features.plain", changes: [{ dropColumn: "x" }] }) { table { id } } }',
      'mutation { dropTable(input: { name: "features.plain" }) { name } }',
      'mutation { compactTable(input: { table: "features.plain" }) { run { id } } }',
      'mutation { updateFeatureTable(input: { name: "features.plain", owner: "lou" }) { featureTable { id } } }',
      'mutation { createTable(input: { name: "features.new", columns: [{ name: "a", type: "long" }] }) { table { id } } }',
      'mutation { setSnapshotRef(input: { table: "features.plain", name: "t", type: TAG }) { ref { name } } }',
    ]) {
      const { errors } = await lakehouse.ask('lou', query);
      expect(errors?.[0]?.extensions, query).toMatchObject({ code: 'FORBIDDEN', requiredGrant: 'write' });
      expect(errors?.[0]?.message).toMatch(/^lou may not .*features\.(plain|new): that takes a grant to write/);
    }
    // And neither does a grant to write without the role for it.
    const { errors } = await lakehouse.ask(
      'ben',
      'mutation { writeRows(input: { table: "features.plain", rows: { json: [] } }) { rowsAdded } }',
    );
    expect(errors?.[0]?.message).toMatch(/takes the role scientist/);
  });

  test('is enough to read all there is to a table', async () => {
    const query =
      '{ table(name: "features.plain") { rows { rows } columns { name statistics { rowCount } } properties refs { edges { node { name } } } } }';
    const { table } = await lakehouse.data('lou', query);
    expect(table.rows.rows).toHaveLength(3);
    // Held by a training set that may not be seen: what holds it says nothing.
    expect(table.refs.edges.map(({ node }: { readonly node: { readonly name: string } }) => node.name)).toEqual(
      expect.arrayContaining(['main', expect.stringMatching(/^icecore-pin-\d$/)]),
    );
    const whole = await lakehouse.data('rita', query);
    expect(JSON.stringify(whole.table.refs)).toContain(`training-set/${secret}_training/v1`);
  });

  test('what a pin holds stays held, and the refusal names no pin that may not be seen', async () => {
    const { errors } = await lakehouse.ask('fay', 'mutation { dropTable(input: { name: "features.plain" }) { name } }');
    expect(errors?.[0]?.extensions.code).toBe('PINNED');
    expect(JSON.stringify(errors)).not.toContain(secret);
    expect(JSON.stringify(errors)).toMatch(/icecore-pin-\d/);
    const removed = await lakehouse.ask(
      'fay',
      `mutation { setSnapshotRef(input: { table: "features.plain", name: "icecore-pin-1", type: TAG }) { ref { name } } }`,
    );
    expect(removed.errors).toBeDefined();
  });
});

describe('narrow grants', () => {
  test('are enough for work on what they cover: training sets, definitions, rows from a SELECT', async () => {
    const run = async (mutation: string): Promise<{ readonly status: string; readonly error: string | null }> => {
      const { made } = await lakehouse.data('fay', `mutation { made: ${mutation} { run { id } } }`);
      const response = await subscribe({
        origin: lakehouse.server.origin,
        query: 'subscription ($id: ID!) { runProgress(id: $id) { status error } }',
        variables: { id: made.run.id },
        accept: eventType,
        key: keyOf('fay'),
      });
      const states = await Array.fromAsync(eventPayloads<RunEvent>(response));
      return states.at(-1)?.data.runProgress ?? { status: 'UNSEEN', error: null };
    };
    const spine = 'spine: { source: { sql: "SELECT k, moment FROM features.plain" }, eventTime: "moment" }';
    expect(
      await run(`createTrainingSet(input: { name: "new", ${spine}, featureSet: "plain_set", featureSetVersion: 1 })`),
    ).toEqual({
      status: 'SUCCEEDED',
      error: null,
    });
    expect(
      (
        await lakehouse.data(
          'fay',
          '{ trainingSet(name: "new") { sources { tableName } featureSet { name features { table } } } }',
        )
      ).trainingSet,
    ).toEqual({
      sources: [{ tableName: 'features.plain' }],
      featureSet: { name: 'plain_set', features: [{ table: 'features.plain' }] },
    });
    expect(await run('reproduceTrainingSet(input: { name: "new", version: 1 })')).toMatchObject({ status: 'SUCCEEDED' });
    const columns =
      'columns: [{ name: "k", type: "long" }, { name: "moment", type: "timestamptz" }, { name: "x", type: "double" }]';
    const definition = 'definition: "SELECT k, moment, x FROM features.plain"';
    await lakehouse.data(
      'fay',
      `mutation { createFeatureTable(input: { name: "features.own", ${columns}, entityKeys: ["k"], eventTime: "moment", ${definition} }) { featureTable { definition } } }`,
    );
    expect(await run('materializeFeatures(input: { featureTable: "features.own" })')).toMatchObject({ status: 'SUCCEEDED' });
    const own = '{ featureTable(name: "features.own") { definition } }';
    expect((await lakehouse.data('lou', own)).featureTable.definition).toBe('SELECT k, moment, x FROM features.plain');
    expect(await run('compactTable(input: { table: "features.own" })')).toMatchObject({ status: 'SUCCEEDED' });
    // Others see the runs that are about what they see.
    const runs = '{ runs(first: 50) { edges { node { kind by { id } } } } }';
    const kinds = (await lakehouse.data('lou', runs)).runs.edges.map(
      ({ node }: { readonly node: { readonly kind: string; readonly by: { readonly id: string } } }) =>
        `${node.by.id} ${node.kind}`,
    );
    expect(new Set(kinds)).toEqual(
      new Set(['fay MATERIALIZATION', 'fay MAINTENANCE', 'rita MATERIALIZATION', 'rita MAINTENANCE']),
    );
  });

  test('do not make a definition run that reads what they do not cover', async () => {
    expect(
      (await lakehouse.data('fay', '{ featureTable(name: "features.computed") { definition } }')).featureTable.definition,
    ).toBe(null);
    const { errors } = await lakehouse.ask(
      'fay',
      'mutation { materializeFeatures(input: { featureTable: "features.computed" }) { run { id } } }',
    );
    expect(errors?.[0]?.extensions.code).toBe('FAILED_PRECONDITION');
    expect(JSON.stringify(errors)).not.toContain(secret);
    // It is not lost on a change by who does not see it.
    await lakehouse.data(
      'fay',
      'mutation { updateFeatureTable(input: { name: "features.computed", owner: "fay" }) { featureTable { id } } }',
    );
    const whole = await lakehouse.data('rita', '{ featureTable(name: "features.computed") { owner definition } }');
    expect(whole.featureTable).toEqual({ owner: 'fay', definition: expect.stringContaining(secret) });
  });

  test('on predictions show them, and of what they rest on no more than that it is there', async () => {
    const shown = `{ predictions(table: "${hiddenScores}") { edges { node { output status } } } }`;
    expect((await lakehouse.data('dash', shown)).predictions.edges).toHaveLength(3);
    for (const field of ['modelVersion { version }', 'run { id }']) {
      const { errors } = await lakehouse.ask(
        'dash',
        `{ predictions(table: "${hiddenScores}", first: 1) { edges { node { ${field} } } } }`,
      );
      expect(errors?.[0]).toMatchObject({ message: expect.stringMatching(/may not be read/), extensions: { code: 'NOT_FOUND' } });
    }
    const explained =
      '{ predictions(table: "NAME", first: 1) { edges { node { explanation { features sources { tableName } rederived differences trainingSet { name } } } } } }';
    const { explanation } = (await lakehouse.data('dash', explained.replace('NAME', hiddenScores))).predictions.edges[0].node;
    expect(explanation).toMatchObject({ features: {}, sources: [], rederived: false, trainingSet: null });
    expect(JSON.stringify(explanation)).not.toContain(`${secret}_flights`);
    const whole = (await lakehouse.data('rita', explained.replace('NAME', hiddenScores))).predictions.edges[0].node.explanation;
    expect(whole).toMatchObject({ rederived: true, differences: [] });
  });

  test('do not let a name be taken that somebody else has', async () => {
    const set = await lakehouse.ask(
      'fay',
      `mutation { createFeatureSet(input: { name: "${secret}_set", features: [{ table: "features.plain", feature: "x" }] }) { featureSet { version } } }`,
    );
    const model = await lakehouse.ask(
      'fay',
      `mutation { registerModel(input: { name: "${secret}-model", description: "mine" }) { model { id } } }`,
    );
    expect([set, model].map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(['ALREADY_EXISTS', 'ALREADY_EXISTS']);
    expect((await lakehouse.data('rita', `{ model(name: "${secret}-model") { description } }`)).model.description).toBe(secret);
  });
});

interface RunEvent {
  readonly data: { readonly runProgress: { readonly status: string; readonly error: string | null } };
}

test("Icecore's own tables show to who is granted them by name", async () => {
  const query = '{ sql(statement: "SELECT count(*) AS n FROM icecore.runs") { rows } }';
  expect((await lakehouse.data('rita', query)).sql.rows).toHaveLength(1);
  // A grant on all else is not enough.
  for (const who of ['ben', 'fay', 'adm', 'nil'] as const) {
    expect((await lakehouse.ask(who, query)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const { tables, table } = await lakehouse.data(
      who,
      '{ tables(namespace: "icecore") { edges { cursor } } table(name: "icecore.audit_log") { id } }',
    );
    expect([tables.edges, table]).toEqual([[], null]);
  }
});

test('who has no grant sees an empty house', async () => {
  for (const who of ['adm', 'nil'] as const) {
    const fields = [
      'tables',
      'featureTables',
      'featureSets',
      'trainingSets',
      'models',
      'runs',
      'search(text: "a")',
      'search(text: "e")',
    ];
    const query = `{ ${fields.map((field, index) => `f${index}: ${field} { edges { cursor } pageInfo { hasNextPage } }`).join(' ')} }`;
    const data = await lakehouse.data(who, query);
    for (const page of Object.values(data)) expect(page).toEqual({ edges: [], pageInfo: { hasNextPage: false } });
  }
});
