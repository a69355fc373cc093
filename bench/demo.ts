import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../demo/api.ts';
import { type Deliveries, deliverFlights } from '../demo/flight-files.ts';
import type { LateModel } from '../demo/late-model.ts';
import { freePort, startIcecore, startModelServer } from '../demo/processes.ts';
import { makeFeatures } from '../demo/steps/features.ts';
import { moveOnAndReproduce, showPredictions } from '../demo/steps/proof.ts';
import { makeRawTables } from '../demo/steps/raw-tables.ts';
import { registerAndApprove } from '../demo/steps/registry.ts';
import { score } from '../demo/steps/scoring.ts';
import { train } from '../demo/steps/train.ts';
import { makeTrainingSet } from '../demo/steps/training-set.ts';
import { keyOf, openStore } from '../demo/store.ts';
import { BareDuckDb, type BareStep, type DemoDays } from './bare-duckdb.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { StepClock } from './step-clock.ts';

/** All of them; fewer to try the bench itself. */
const rows = Number(process.env.ICECORE_BENCH_ROWS ?? 3_000_000);
const trainingRowsMax = 500_000;
const days: DemoDays = { testFrom: '2001-04-16', cutOff: '2001-05-01', scoredFrom: '2001-05-01', scoredTo: '2001-05-08' };
const epochRead = 'one shuffled epoch of the feed';

/** The demo's steps with data to move: the beginning of what the demo calls it, and the bare query of the same work. */
const steps: readonly { readonly demo: string; readonly work: string; readonly bare: BareStep }[] = [
  { demo: 'raw.flights, a month at a time', work: 'flights written by day', bare: 'flights' },
  { demo: 'raw.airports', work: 'airports written', bare: 'airports' },
  { demo: 'features.airport_hourly', work: 'features by airport and hour', bare: 'airport_hourly' },
  { demo: 'features.route_daily', work: 'features by route and day', bare: 'route_daily' },
  { demo: 'training set', work: 'training set, point in time', bare: 'training_set' },
  { demo: epochRead, work: epochRead, bare: 'epoch' },
  { demo: 'flights from', work: 'a week of flights scored', bare: 'scores' },
  { demo: 'predictions joined', work: 'predictions joined with airports', bare: 'worst_airports' },
  { demo: 'a month later', work: 'the next month written', bare: 'next_month' },
  { demo: 'raw.flights compacted', work: 'the next month compacted', bare: 'compaction' },
  { demo: 'the training set made again', work: 'training set made again', bare: 'training_set' },
];

/** Each step of the demo through the API, from request to durable commit, beside the bare DuckDB query of the same work. */
export async function benchDemo(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-demo-'));
  try {
    const store = await openStore(join(directory, 'store'), true);
    if (store === null) throw new Error('There is no store.');
    const deliveries = await deliverFlights(store.deliveries, rows);
    const clock = await runDemo(store, deliveries);
    const model = JSON.parse(readFileSync(store.artifact, 'utf8')) as LateModel;
    const bare = await BareDuckDb.run(join(directory, 'bare'), { deliveries, days, model, trainingRows });
    return steps.map(({ demo, work, bare: step }) =>
      benchRow({
        work,
        ours: clock.seconds(demo),
        unit: 's',
        peer: 'the bare DuckDB query, Parquet to Parquet',
        peerValue: bare(step),
      }),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const trainingRows = Math.min(trainingRowsMax, Math.floor(rows / 2));

async function runDemo(store: NonNullable<Awaited<ReturnType<typeof openStore>>>, deliveries: Deliveries): Promise<StepClock> {
  const clock = new StepClock();
  const modelPort = await freePort(0);
  const modelOrigin = `http://127.0.0.1:${modelPort}`;
  const icecore = await startIcecore(store, { port: await freePort(0), warehouse: null, modelOrigin });
  const ada = new Api(icecore.url, keyOf(store, 'ada'));
  const grace = new Api(icecore.url, keyOf(store, 'grace'));
  try {
    await makeRawTables(ada, clock, deliveries.first);
    await makeFeatures(ada, clock, '2001-01-01T00:00:00Z', '2001-06-01T00:00:00Z');
    await makeTrainingSet(ada, clock, trainingRows, days.testFrom, days.cutOff);
    await clock.time(epochRead, () => readEpoch(ada));
    const trained = await train(ada, clock, store.artifact);
    const model = await startModelServer(trained.artifact, modelPort);
    try {
      await registerAndApprove(ada, grace, clock, trained, model.url);
      await score(ada, clock, days.scoredFrom, days.scoredTo);
    } finally {
      await model.stop();
    }
    await showPredictions(ada, clock);
    await moveOnAndReproduce(ada, clock, deliveries.later);
    return clock;
  } finally {
    await icecore.stop();
  }
}

async function readEpoch(api: Api): Promise<void> {
  const source = { trainingSet: { name: 'late_departures', version: 1 } };
  let rowsRead = 0;
  for await (const batch of api.batches({ input: { source, split: 'train', shuffle: 'WINDOWED', seed: '1' } }))
    rowsRead += batch.numRows;
  if (rowsRead === 0) throw new Error('The feed has no rows.');
}
