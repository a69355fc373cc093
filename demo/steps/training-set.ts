import type { Api } from '../api.ts';
import { finish } from '../run-progress.ts';
import type { Terminal } from '../terminal.ts';
import { featureTables } from './features.ts';

const createFeatureSet =
  'mutation ($input: CreateFeatureSetInput!) { createFeatureSet(input: $input) { featureSet { name version hash } } }';
const createTrainingSet = 'mutation ($input: CreateTrainingSetInput!) { createTrainingSet(input: $input) { run { id } } }';
const read =
  'query { trainingSet(name: "late_departures", version: 1) { rowCount digest data { tableName snapshotId } sources { tableName snapshotId } } }';

const hourly = ['1h', '3h', '24h'].flatMap((window) => [`flights_${window}`, `mean_delay_${window}`, `late_share_${window}`]);
const daily = ['flights', 'mean_delay', 'late_share'];

/** The features of the set by the names that they have in the training set. */
export const features = [...hourly, ...daily.map((name) => `route_${name}`)];

/** What else a flight is known by beforehand: columns of the spine. */
export const spineInputs = ['distance', 'hour_of_day'];

export interface TrainingSetAnswer {
  readonly rowCount: string;
  readonly digest: string;
  readonly data: { readonly tableName: string; readonly snapshotId: string };
  readonly sources: readonly { readonly tableName: string; readonly snapshotId: string }[];
}

/**
 * A SELECT of flights to be judged at their departure. The order is a hash of all columns, so that every run of the demo takes the same
 * rows in the same order, and comes to the same digest.
 */
export function spineSql(where: string, limit: number | null): string {
  const some = limit === null ? '' : `ORDER BY hash(date, origin, destination, distance, delay) LIMIT ${limit}`;
  return `SELECT date, origin, destination, distance, hour(date)::BIGINT AS hour_of_day, delay > 15 AS late
          FROM raw.flights WHERE ${where} ${some}`;
}

/** The feature set, and of `rows` flights before the cut-off what was known at their departure, split by time. */
export async function makeTrainingSet(
  api: Api,
  terminal: Terminal,
  rows: number,
  testFrom: string,
  cutOff: string,
): Promise<TrainingSetAnswer> {
  await api.ask(createFeatureSet, {
    input: {
      idempotencyKey: 'feature-set',
      name: 'flight_delay',
      features: [
        ...hourly.map((feature) => ({ table: featureTables[0], feature })),
        ...daily.map((feature) => ({ table: featureTables[1], feature, alias: `route_${feature}` })),
      ],
    },
  });
  terminal.begin('training set late_departures, point in time');
  const answer = await api.ask<{ createTrainingSet: { run: { id: string } } }>(createTrainingSet, {
    input: {
      idempotencyKey: 'training-set',
      name: 'late_departures',
      spine: { source: { sql: spineSql(`date < TIMESTAMP '${cutOff}'`, rows) }, eventTime: 'date', labels: ['late'] },
      featureSet: 'flight_delay',
      featureSetVersion: 1,
      options: { knowledge: 'KNOWN_AT_EVENT', onTie: 'ERROR' },
      split: {
        byTime: [
          { name: 'train', to: `${testFrom}T00:00:00Z` },
          { name: 'test', from: `${testFrom}T00:00:00Z`, to: `${cutOff}T00:00:00Z` },
        ],
      },
    },
  });
  await finish(api, terminal, answer.createTrainingSet.run.id);
  const { trainingSet } = await api.ask<{ trainingSet: TrainingSetAnswer }>(read);
  terminal.done(
    `training set late_departures: ${Number(trainingSet.rowCount).toLocaleString('en-US')} flights, KNOWN_AT_EVENT, split by time`,
  );
  terminal.note(`digest ${trainingSet.digest}`);
  return trainingSet;
}
