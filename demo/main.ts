/** From raw data to an approved model's predictions: `npm run demo`, `-- --once` to end after it, `--rows N` for less of it. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Api } from './api.ts';
import { closingWords } from './closing-words.ts';
import { deliverFlights } from './flight-files.ts';
import { freePort, type Served, startIcecore, startModelServer } from './processes.ts';
import { makeFeatures } from './steps/features.ts';
import { moveOnAndReproduce, showLineage, showPredictions, showTrail } from './steps/proof.ts';
import { makeRawTables } from './steps/raw-tables.ts';
import { registerAndApprove } from './steps/registry.ts';
import { score } from './steps/scoring.ts';
import { train } from './steps/train.ts';
import { makeTrainingSet } from './steps/training-set.ts';
import { keyOf, openStore } from './store.ts';
import { Terminal } from './terminal.ts';

const allRows = 3_000_000;
const trainingRowsMax = 500_000;
const testFrom = '2001-04-16';
const cutOff = '2001-05-01';

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    yes: { type: 'boolean', default: false },
    rows: { type: 'string', default: String(allRows) },
    store: { type: 'string', default: 'icecore-demo' },
    warehouse: { type: 'string' },
    port: { type: 'string', default: '4000' },
  },
});

async function main(): Promise<void> {
  const rows = Math.min(allRows, Number(values.rows));
  if (!Number.isSafeInteger(rows) || rows < 10_000) throw new Error('--rows takes a number from 10000 to 3000000');
  const terminal = new Terminal();
  const store = await openStore(resolve(values.store), values.yes);
  if (store === null) return;
  const served: Served[] = [];
  const stopAll = async (): Promise<void> => {
    for (const process of served.splice(0).reverse()) await process.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopAll().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
  try {
    terminal.title('1  Raw data');
    terminal.begin('the airline delivers its files');
    const deliveries = await deliverFlights(store.deliveries, rows);
    terminal.done(`${deliveries.first.length} monthly files delivered`);
    const port = await freePort(Number(values.port));
    const modelPort = await freePort(0);
    const icecore = await startIcecore(store, {
      port,
      warehouse: values.warehouse ?? null,
      modelOrigin: `http://127.0.0.1:${modelPort}`,
    });
    served.push(icecore);
    const ada = new Api(icecore.url, keyOf(store, 'ada'));
    const grace = new Api(icecore.url, keyOf(store, 'grace'));
    const vera = new Api(icecore.url, keyOf(store, 'vera'));
    await makeRawTables(ada, terminal, deliveries.first);

    terminal.title('2  Features');
    await makeFeatures(ada, terminal, '2001-01-01T00:00:00Z', '2001-06-01T00:00:00Z');

    terminal.title('3  Training set');
    await makeTrainingSet(ada, terminal, Math.min(trainingRowsMax, Math.floor(rows / 2)), testFrom, cutOff);

    terminal.title('4  Training');
    const trained = await train(ada, terminal, store.artifact);
    if (trained.auc <= trained.bestFeature.auc) {
      // Of all flights that would be a defect; of a small sample it is what chance can do.
      if (rows === allRows) throw new Error('the model does not beat the best single feature');
      terminal.note(`${rows} flights are too few for it to beat the best single feature; it goes on all the same`);
    }

    terminal.title('5  Serving and approval');
    const model = await startModelServer(trained.artifact, modelPort);
    served.push(model);
    const modelVersion = await registerAndApprove(ada, grace, terminal, trained, model.url);

    terminal.title('6  Predictions');
    await score(ada, terminal, '2001-05-01', rows === allRows ? '2001-05-08' : '2001-06-01');
    await showPredictions(vera, terminal);

    terminal.title('7  Where it came from');
    const prediction = await showLineage(vera, terminal);
    await showTrail(vera, terminal, prediction);

    terminal.title('8  Months later');
    await moveOnAndReproduce(ada, terminal, deliveries.later);

    console.log(closingWords({ store, url: icecore.url, seconds: terminal.elapsedSeconds, prediction, modelVersion }));
    if (values.once) {
      await stopAll();
      return;
    }
    console.log('Serving until Ctrl-C.');
  } catch (error) {
    await stopAll();
    throw error;
  }
}

main().catch((error: unknown) => {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
