import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Call } from '../../src/access/call.ts';
import type { Caller } from '../../src/access/caller.ts';
import { ManualClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { Icecore } from '../../src/icecore.ts';
import type { GivenRows } from '../../src/lakehouse/given-rows.ts';
import type { LineageRef } from '../../src/lineage/lineage-record.ts';
import type { ModelVersion } from '../../src/models/model.ts';
import type { Run } from '../../src/runs/run.ts';
import { caller } from '../environment/store.ts';
import { ModelServer } from '../scoring/model-server.ts';

/** Who writes rows, who makes features and models, who approves, who keeps house. */
export const bob = caller('bob', ['scientist']);
export const ada = caller('ada', ['scientist']);
export const ben = caller('ben', ['approver']);
export const eve = caller('eve', ['admin']);

const secondMicros = 1_000_000n;
const startMicros = BigInt(Date.UTC(2001, 0, 10)) * 1000n;

/** A whole server over a small store of its own, with a model server beside it; every act is a second after the one before. */
export class ChainStore {
  readonly icecore: Icecore;
  readonly models: ModelServer;
  readonly #clock: ManualClock;
  readonly #directory: string;

  private constructor(icecore: Icecore, models: ModelServer, clock: ManualClock, directory: string) {
    this.icecore = icecore;
    this.models = models;
    this.#clock = clock;
    this.#directory = directory;
  }

  static async open(): Promise<ChainStore> {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-chain-'));
    const models = await ModelServer.open();
    const config = parseConfig([], {
      ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite`,
      ICECORE_ALLOWED_MODEL_ORIGINS: models.url,
    });
    const clock = new ManualClock(startMicros);
    const icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 }, clock);
    return new ChainStore(icecore, models, clock, directory);
  }

  async close(): Promise<void> {
    await this.icecore.close();
    await this.models.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** What a caller does next. */
  as(who: Caller): Call {
    this.#clock.advance(secondMicros);
    return { caller: who, key: null, input: null };
  }

  get nowMs(): number {
    return Number(this.#clock.nowMicros() / 1000n);
  }

  async createRaw(name: string): Promise<void> {
    await this.icecore.tableOperations.createTable(this.as(bob), name, {
      columns: [
        { name: 'origin', type: 'string', required: true },
        { name: 'moment', type: 'timestamptz', required: true },
        { name: 'distance', type: 'long', required: true },
        { name: 'late', type: 'boolean', required: true },
      ],
    });
  }

  /** Gives the snapshot as lineage names it. */
  async write(table: string, rows: GivenRows, mode: 'APPEND' | 'OVERWRITE' = 'APPEND'): Promise<LineageRef> {
    const write = { table, branch: 'main', rows, mode, keys: null, expectedSnapshotId: null } as const;
    const written = await this.icecore.rowWrites.write(this.as(bob), write, AbortSignal.timeout(60_000));
    return { kind: 'TABLE', uuid: written.table.uuid, version: written.snapshot.snapshotId.toString(), name: table };
  }

  /** The current snapshot as lineage names it. */
  async now(name: string): Promise<LineageRef> {
    const table = await this.icecore.tables.load(parseIdentifier(name));
    return { kind: 'TABLE', uuid: table.uuid, version: String(table.metadata.currentSnapshotId), name };
  }

  /** Mean distance an origin and hour, computed from `raw.flights`. */
  async declareFeatures(): Promise<void> {
    await this.icecore.features.createFeatureTable(this.as(ada), {
      name: 'features.origin',
      columns: [
        { name: 'origin', type: 'string', required: true },
        { name: 'moment', type: 'timestamptz', required: true },
        { name: 'x', type: 'double' },
      ],
      entityKeys: ['origin'],
      eventTime: 'moment',
      definition: 'SELECT origin, moment, avg(distance)::DOUBLE AS x FROM raw.flights GROUP BY ALL',
    });
  }

  async materialize(): Promise<Run> {
    return await this.end(this.icecore.materializations.materializeFeatures(this.as(ada), { featureTable: 'features.origin' }));
  }

  async train(): Promise<Run> {
    return await this.end(
      this.icecore.training.createTrainingSet(this.as(ada), {
        name: 'late',
        spine: { ...spine, labels: ['late'] },
        featureSet: 'origins',
        featureSetVersion: 1,
        pins: [],
        options: { boundary: 'INCLUSIVE', knowledge: 'IGNORE', onTie: 'ERROR', nulls: 'KEEP', matchStatus: false },
        split: null,
      }),
    );
  }

  /** Version 1 of the model `late`: registered and submitted by ada, approved by ben, champion. */
  async approve(): Promise<ModelVersion> {
    const { models } = this.icecore;
    await models.register(this.as(ada), { name: 'late' });
    const draft = await models.registerVersion(this.as(ada), {
      model: 'late',
      trainedOn: { trainingSet: { name: 'late', version: 1 } },
      metrics: [],
      signature: {
        inputs: [
          { name: 'x', type: 'double', required: false },
          { name: 'distance', type: 'long', required: true },
        ],
        outputs: [{ name: 'score', type: 'double', required: true }],
      },
      artifactUri: null,
      artifactSha256: 'ab'.repeat(32),
      endpoint: { url: this.models.url, protocol: 'OPEN_INFERENCE_V2', model: 'late', version: '1' },
      authors: [],
    });
    const selector = { number: draft.version };
    const submitted = await models.submit(this.as(ada), 'late', selector, null);
    const approved = await models.review(this.as(ben), 'late', selector, {
      expectedDigest: submitted.digest,
      decision: 'APPROVE',
      meaning: 'I approve its use for gate planning',
      comment: null,
    });
    await models.setAlias(this.as(ben), { model: 'late', alias: 'champion', version: draft.version, reason: null });
    return approved;
  }

  /** A scoring run at its end, and one of its predictions as lineage names it. */
  async score(): Promise<{ readonly run: Run; readonly prediction: LineageRef }> {
    const run = await this.end(
      this.icecore.scoring.scoreBatch(this.as(ada), {
        modelVersion: { model: 'late', selector: { alias: 'champion' } },
        source: { spine: { ...spine, labels: ['late'] } },
        into: 'predictions.late',
        batchSize: 100,
        concurrency: 1,
        maxFailedShare: 0,
      }),
    );
    const table = await this.icecore.tables.load(parseIdentifier('predictions.late'));
    const [edge] = (await this.icecore.scoring.predictions({ tables: [table], runId: run.id, first: 1 })).edges;
    if (edge === undefined) throw new Error('The run has made no prediction.');
    const uuid = `${table.uuid}/${edge.prediction.predictionId}`;
    return { run, prediction: { kind: 'PREDICTION', uuid, version: null, name: uuid } };
  }

  async end(starting: Promise<Run>): Promise<Run> {
    const run = await this.icecore.runs.ended((await starting).id, AbortSignal.timeout(60_000));
    if (run.status !== 'SUCCEEDED') throw new Error(`${run.operation} ${run.status}: ${run.error}`);
    return run;
  }
}

const spine = {
  source: { sql: 'SELECT origin, moment + INTERVAL 1 HOUR AS moment, distance, late FROM raw.flights' },
  eventTime: 'moment',
};

/** Three flights of a day in January 2001. */
export function flightsOf(day: number): GivenRows {
  return {
    json: ['ATL', 'ORD', 'LAX'].map((origin, index) => ({
      origin,
      moment: `2001-01-0${day}T0${index + 6}:00:00Z`,
      distance: String(100 * day + index),
      late: (day + index) % 2 === 0,
    })),
  };
}
