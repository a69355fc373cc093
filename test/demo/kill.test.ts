import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Api } from '../../demo/api.ts';
import { deliverFlights } from '../../demo/flight-files.ts';
import { freePort, type Served, startModelServer } from '../../demo/processes.ts';
import { makeFeatures } from '../../demo/steps/features.ts';
import { moveOnAndReproduce, showLineage, showPredictions, showTrail } from '../../demo/steps/proof.ts';
import { makeRawTables } from '../../demo/steps/raw-tables.ts';
import { registerAndApprove } from '../../demo/steps/registry.ts';
import { predictionsTable, score } from '../../demo/steps/scoring.ts';
import { train } from '../../demo/steps/train.ts';
import { makeTrainingSet } from '../../demo/steps/training-set.ts';
import { keyOf, openStore } from '../../demo/store.ts';
import { Terminal } from '../../demo/terminal.ts';
import { killMoments } from './kill-moment.ts';
import { MortalServer } from './mortal-server.ts';
import { PersistentApi } from './persistent-api.ts';
import { Recollection } from './recollection.ts';

/** Another seed, other moments: `ICECORE_KILL_SEED=7 npx vitest run test/demo/kill.test.ts`. */
const seed = Number(process.env.ICECORE_KILL_SEED ?? 2001);
const killMsMax = 200_000;
const rows = 20_000;

class QuietTerminal extends Terminal {
  override begin(): void {}
  override progress(): void {}
  override done(): void {}
  override note(): void {}
}

describe('the demo, its server killed with -9 at five moments', () => {
  let directory = '';
  let server: MortalServer;
  let model: Served;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-kill-'));
  });
  afterAll(async () => {
    await server?.stop();
    await model?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test(
    'what was acknowledged stays, what was cut has one effect when it is repeated, and the demo goes on to its end',
    async () => {
      const moments = killMoments(seed);
      console.log(`ICECORE_KILL_SEED=${seed}: ${moments.map((m) => `${m.operation} ${m.nth} + ${m.afterMs} ms`).join(', ')}`);
      const store = await openStore(join(directory, 'store'), true);
      if (store === null) throw new Error('there is no store');
      const deliveries = await deliverFlights(store.deliveries, rows);
      const modelPort = await freePort(0);
      const options = { port: await freePort(0), warehouse: null, modelOrigin: `http://127.0.0.1:${modelPort}` };
      server = await MortalServer.start(store, options, moments);
      const recollection = new Recollection(new Api(server.url, keyOf(store, 'ada')));
      server.inspect = () => recollection.inspect();
      const ada = new PersistentApi(server, keyOf(store, 'ada'), recollection);
      const grace = new PersistentApi(server, keyOf(store, 'grace'), recollection);
      const vera = new PersistentApi(server, keyOf(store, 'vera'), recollection);

      const terminal = new QuietTerminal();
      await makeRawTables(ada, terminal, deliveries.first);
      await makeFeatures(ada, terminal, '2001-01-01T00:00:00Z', '2001-06-01T00:00:00Z');
      await makeTrainingSet(ada, terminal, rows / 2, '2001-04-16', '2001-05-01');
      const trained = await train(ada, terminal, store.artifact);
      model = await startModelServer(trained.artifact, modelPort);
      await registerAndApprove(ada, grace, terminal, trained, model.url);
      await score(ada, terminal, '2001-05-01', '2001-06-01');
      await showPredictions(vera, terminal);
      await recollection.expectOneEffectEach();
      const prediction = await showLineage(vera, terminal);
      await showTrail(vera, terminal, prediction);
      await moveOnAndReproduce(ada, terminal, deliveries.later);

      // The last moment may lie behind the demo's end.
      await vi.waitFor(() => expect(server.deaths).toHaveLength(moments.length), { timeout: 5000 });
      await server.standing();
      await recollection.inspect();
      const doubled = `SELECT count(*) - count(DISTINCT prediction_id) AS doubled FROM ${predictionsTable}`;
      expect(await recollection.select(doubled)).toEqual([{ doubled: '0' }]);
    },
    killMsMax,
  );
});
