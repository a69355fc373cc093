import type { Lakehouse } from './lakehouse.ts';

interface Started {
  readonly [operation: string]: { readonly run: { readonly id: string } };
}

/** Makes `shared.pinned` with a snapshot that the training set `pinned` holds, and a later one; gives the ids of both. */
export async function makePinnedTable(lakehouse: Lakehouse): Promise<{ readonly held: string; readonly later: string }> {
  await lakehouse.ask(
    'mutation ($input: CreateFeatureTableInput!) { createFeatureTable(input: $input) { featureTable { name } } }',
    {
      name: 'shared.pinned',
      columns: [
        { name: 'site', type: 'string', required: true },
        { name: 'seen', type: 'timestamptz', required: true },
        { name: 'visitors', type: 'double' },
      ],
      entityKeys: ['site'],
      eventTime: 'seen',
    },
  );
  const held = await lakehouse.write('shared.pinned', [{ site: 'here', seen: '2026-01-01T00:00:00Z', visitors: 1 }]);
  await lakehouse.ask(
    'mutation ($input: CreateFeatureSetInput!) { createFeatureSet(input: $input) { featureSet { version } } }',
    {
      name: 'pinned',
      features: [{ table: 'shared.pinned', feature: 'visitors' }],
    },
  );
  const answer = await lakehouse.ask<Started>(
    'mutation ($input: CreateTrainingSetInput!) { createTrainingSet(input: $input) { run { id } } }',
    {
      name: 'pinned',
      spine: { source: { sql: "SELECT 'here' AS site, TIMESTAMPTZ '2026-01-02 00:00:00Z' AS at" }, eventTime: 'at' },
      featureSet: 'pinned',
      featureSetVersion: 1,
    },
  );
  await lakehouse.succeeded(answer.createTrainingSet?.run.id ?? '');
  const later = await lakehouse.write('shared.pinned', [{ site: 'here', seen: '2026-01-03T00:00:00Z', visitors: 2 }]);
  return { held, later };
}
