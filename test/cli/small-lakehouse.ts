import { expect, vi } from 'vitest';
import type { TestServer } from '../http/test-server.ts';

/** From raw rows to a registered model, through the API, as small as it can be. */
export async function fillLakehouse(server: TestServer, key?: string): Promise<void> {
  const ask = async (query: string, input: object) => {
    const answer = await server.ask(query, { input }, key);
    expect(answer.errors).toBeUndefined();
    return answer.data;
  };
  const createTable = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { id } } }';
  const writeRows = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { snapshot { snapshotId } } }';

  await ask(createTable, {
    name: 'raw.visits',
    columns: [
      { name: 'site', type: 'string', required: true, doc: 'Where.' },
      { name: 'seen', type: 'timestamptz', required: true },
      { name: 'visitors', type: 'long' },
      { name: 'late', type: 'boolean' },
    ],
    partitionBy: [{ column: 'seen', transform: 'day' }],
  });
  const visits = [
    { site: '東京', seen: '2026-01-01T10:00:00Z', visitors: '9007199254740993', late: false },
    { site: 'Reykjavík', seen: '2026-01-02T10:00:00Z', visitors: null, late: true },
  ];
  await ask(writeRows, { table: 'raw.visits', rows: { json: visits } });

  await ask('mutation ($input: CreateFeatureTableInput!) { createFeatureTable(input: $input) { featureTable { name } } }', {
    name: 'features.sites',
    columns: [
      { name: 'site', type: 'string', required: true },
      { name: 'event_time', type: 'timestamptz', required: true },
      { name: 'mean_visitors', type: 'double' },
    ],
    entityKeys: ['site'],
    eventTime: 'event_time',
    timeToLive: 'P2D',
    description: 'How busy a site is',
    definition:
      'SELECT site, seen AS event_time, avg(visitors) OVER (PARTITION BY site ORDER BY seen) AS mean_visitors FROM raw.visits',
  });
  const window = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  const materialized = await ask(
    'mutation ($input: MaterializeFeaturesInput!) { materializeFeatures(input: $input) { run { id } } }',
    { featureTable: 'features.sites', ...window },
  );
  await succeeded(server, materialized.materializeFeatures.run.id, key);

  await ask('mutation ($input: CreateFeatureSetInput!) { createFeatureSet(input: $input) { featureSet { version } } }', {
    name: 'busyness',
    features: [{ table: 'features.sites', feature: 'mean_visitors' }],
  });
  const made = await ask('mutation ($input: CreateTrainingSetInput!) { createTrainingSet(input: $input) { run { id } } }', {
    name: 'lateness',
    spine: { source: { sql: 'SELECT site, seen, late FROM raw.visits' }, eventTime: 'seen', labels: ['late'] },
    featureSet: 'busyness',
    featureSetVersion: 1,
  });
  await succeeded(server, made.createTrainingSet.run.id, key);

  await ask('mutation ($input: RegisterModelInput!) { registerModel(input: $input) { model { name } } }', { name: 'late' });
  await ask(
    'mutation ($input: RegisterModelVersionInput!) { registerModelVersion(input: $input) { modelVersion { version } } }',
    {
      model: 'late',
      trainedOn: { trainingSet: { name: 'lateness', version: 1 } },
      signature: {
        inputs: [{ name: 'mean_visitors', type: 'double', required: false }],
        outputs: [{ name: 'probability', type: 'double' }],
      },
      artifactSha256: '0'.repeat(64),
    },
  );
}

async function succeeded(server: TestServer, id: string, key?: string): Promise<void> {
  const read = 'query ($id: ID!) { run(id: $id) { status error } }';
  await vi.waitFor(
    async () => {
      const answer = await server.ask(read, { id }, key);
      expect(answer.data.run).toEqual({ status: 'SUCCEEDED', error: null });
    },
    { timeout: 30_000, interval: 20 },
  );
}
