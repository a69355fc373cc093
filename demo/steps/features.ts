import type { Api } from '../api.ts';
import { airportHourly, routeDaily } from '../definitions.ts';
import { finish } from '../run-progress.ts';
import type { Terminal } from '../terminal.ts';

const create = 'mutation ($input: CreateFeatureTableInput!) { createFeatureTable(input: $input) { featureTable { name } } }';
const materialize = 'mutation ($input: MaterializeFeaturesInput!) { materializeFeatures(input: $input) { run { id } } }';

const double = (name: string, doc: string) => ({ name, type: 'double', doc });
const long = (name: string, doc: string) => ({ name, type: 'long', doc });
const times = [
  { name: 'event_time', type: 'timestamp', required: true, doc: 'The end of the time that the row is about.' },
  { name: 'known_time', type: 'timestamp', required: true, doc: 'When the last flight that it counts had left.' },
];

export const featureTables = ['features.airport_hourly', 'features.route_daily'] as const;

/** The two feature tables, computed from `raw.flights` up to `to`. */
export async function makeFeatures(api: Api, terminal: Terminal, from: string, to: string): Promise<void> {
  const windows = ['1h', '3h', '24h'].flatMap((window) => [
    long(`flights_${window}`, `Departures in the last ${window}.`),
    double(`mean_delay_${window}`, `Their mean delay in minutes.`),
    double(`late_share_${window}`, `The share of them more than 15 minutes late.`),
  ]);
  await api.ask(create, {
    input: {
      idempotencyKey: 'create-airport-hourly',
      name: featureTables[0],
      columns: [{ name: 'origin', type: 'string', required: true }, ...times, ...windows],
      partitionBy: [{ column: 'event_time', transform: 'month' }],
      entityKeys: ['origin'],
      eventTime: 'event_time',
      knownTime: 'known_time',
      timeToLive: 'P2D',
      description: 'How late departures from an airport have been, hour by hour',
      owner: 'ada',
      tags: { domain: 'flights' },
      definition: airportHourly,
    },
  });
  await api.ask(create, {
    input: {
      idempotencyKey: 'create-route-daily',
      name: featureTables[1],
      columns: [
        { name: 'origin', type: 'string', required: true },
        { name: 'destination', type: 'string', required: true },
        ...times,
        long('flights', 'Departures on the route that day.'),
        double('mean_delay', 'Their mean delay in minutes.'),
        double('late_share', 'The share of them more than 15 minutes late.'),
      ],
      partitionBy: [{ column: 'event_time', transform: 'month' }],
      entityKeys: ['origin', 'destination'],
      eventTime: 'event_time',
      knownTime: 'known_time',
      timeToLive: 'P14D',
      description: 'How late departures on a route have been, day by day',
      owner: 'ada',
      tags: { domain: 'flights' },
      definition: routeDaily,
    },
  });
  for (const featureTable of featureTables) {
    terminal.begin(`${featureTable}, from its definition`);
    const input = { idempotencyKey: `materialize-${featureTable}-${to}`, featureTable, from, to };
    const answer = await api.ask<{ materializeFeatures: { run: { id: string } } }>(materialize, { input });
    const run = await finish(api, terminal, answer.materializeFeatures.run.id);
    terminal.done(`${featureTable}: ${Number(run.rowsDone).toLocaleString('en-US')} rows, point-in-time ready`);
  }
}
