import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../src/access/call.ts';
import { ManualClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config.ts';
import { Icecore } from '../../src/icecore.ts';
import { caller } from '../environment/store.ts';

const dayMicros = 24n * 3_600_000_000n;
const hourMicros = dayMicros / 24n;
// Later than any file's time on disk, so that nothing is spared from orphan removal for being young.
const startMicros = BigInt(Date.UTC(2040, 0, 1)) * 1000n;
const days = 90;
const trainingDay = 40;
const signal = new AbortController().signal;
const ada = caller('ada', ['scientist', 'admin']);
const call: Call = { caller: ada, key: null, input: null };

const featureTables = ['features.airport', 'features.route'] as const;

/** Rows as SQL prints them: a table's whole content, to be compared. */
type Rows = readonly Readonly<Record<string, unknown>>[];

describe('ninety days of appends, compaction, expiry and orphan removal', () => {
  const clock = new ManualClock(startMicros);
  let directory = '';
  let icecore: Icecore;
  let digest = '';
  let trainingInstant = 0n;
  const asTheyWere = new Map<string, Rows>();

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'icecore-ninety-'));
    const config = parseConfig([], { ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite` });
    icecore = await Icecore.open({ ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 }, clock);
    await declare();
    for (let day = 0; day < days; day++) {
      await liveThrough(day);
      if (day === trainingDay) await train();
      moveTo(startMicros + BigInt(day + 1) * dayMicros);
    }
  }, 300_000);

  afterAll(async () => {
    await icecore.close();
    await rm(directory, { recursive: true, force: true });
  });

  test.each(featureTables)('%s at the training day is what it was then', async (table) => {
    const instant = new Date(Number(trainingInstant / 1000n)).toISOString();
    const statement = `SELECT * FROM ${table} AT (TIMESTAMP => '${instant}') ORDER BY ALL`;
    expect(await select(statement)).toEqual(asTheyWere.get(table));
    expect((await select(`SELECT * FROM ${table} ORDER BY ALL`)).length).toBeGreaterThan(asTheyWere.get(table)?.length ?? 0);
  });

  test('the training set is made again to its digest', async () => {
    const started = await icecore.training.reproduceTrainingSet(call, { name: 'late', version: 1 });
    const run = await icecore.runs.ended(started.id, AbortSignal.timeout(60_000));
    expect(run.error).toBeNull();
    expect(run.result).toMatchObject({ verdict: 'EXACT', expectedDigest: digest, actualDigest: digest });
  });

  test.each(featureTables)(
    'an instant of %s that neither the log nor a pin covers is an error, never a neighbour',
    async (table) => {
      const instant = new Date(Number((startMicros + 10n * dayMicros + 12n * hourMicros) / 1000n)).toISOString();
      await expect(select(`SELECT count(*) FROM ${table} AT (TIMESTAMP => '${instant}')`)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    },
  );

  test('the day before the training day is forgotten too: a pin covers no more than the time its snapshot was the current one', async () => {
    const instant = new Date(Number((trainingInstant - dayMicros) / 1000n)).toISOString();
    await expect(select(`SELECT count(*) FROM ${featureTables[0]} AT (TIMESTAMP => '${instant}')`)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('history was in fact forgotten, and files with it', async () => {
    for (const name of featureTables) {
      const table = await icecore.tables.load({ namespace: ['features'], name: name.slice('features.'.length) });
      expect(table.metadata.snapshots.length).toBeLessThan(30);
    }
  });

  async function declare(): Promise<void> {
    await icecore.tableOperations.createTable(call, 'raw.flights', {
      columns: [
        { name: 'at', type: 'timestamptz', required: true },
        { name: 'origin', type: 'string', required: true },
        { name: 'destination', type: 'string', required: true },
        { name: 'late', type: 'boolean', required: true },
      ],
      partitionBy: [{ column: 'at', transform: 'day' }],
    });
    const times = [
      { name: 'at', type: 'timestamptz', required: true },
      { name: 'known', type: 'timestamptz', required: true },
    ];
    await icecore.features.createFeatureTable(call, {
      name: featureTables[0],
      columns: [{ name: 'origin', type: 'string', required: true }, ...times, { name: 'flights', type: 'long' }],
      entityKeys: ['origin'],
      eventTime: 'at',
      knownTime: 'known',
    });
    await icecore.features.createFeatureTable(call, {
      name: featureTables[1],
      columns: [
        { name: 'origin', type: 'string', required: true },
        { name: 'destination', type: 'string', required: true },
        ...times,
        { name: 'share', type: 'double' },
      ],
      partitionBy: [{ column: 'at', transform: 'month' }],
      entityKeys: ['origin', 'destination'],
      eventTime: 'at',
      knownTime: 'known',
    });
    await icecore.featureSets.createFeatureSet(call, {
      name: 'delays',
      features: [
        { table: featureTables[0], feature: 'flights' },
        { table: featureTables[1], feature: 'share' },
      ],
    });
  }

  function moveTo(instantMicros: bigint): void {
    clock.advance(instantMicros - clock.nowMicros());
  }

  async function liveThrough(day: number): Promise<void> {
    const at = startMicros + BigInt(day) * dayMicros;
    const hour = (offset: number) => new Date(Number((at + BigInt(offset) * hourMicros) / 1000n)).toISOString();
    const routes = [
      ['ATL', 'SAV'],
      ['ATL', 'ORD'],
      ['ORD', 'LAS'],
    ] as const;
    await write(
      'raw.flights',
      routes.map(([origin, destination], index) => ({ at: hour(index + 6), origin, destination, late: (day + index) % 3 === 0 })),
    );
    await write(
      featureTables[0],
      ['ATL', 'ORD'].map((origin, index) => ({ origin, at: hour(1), known: hour(2), flights: String(day * 10 + index) })),
    );
    await write(
      featureTables[1],
      routes.map(([origin, destination], index) => ({
        origin,
        destination,
        at: hour(1),
        known: hour(3),
        share: (day + index) / 100,
      })),
    );
    clock.advance(hourMicros);
    for (const table of ['raw.flights', ...featureTables]) {
      if (day % 4 === 3)
        await end(icecore.maintenance.compact(call, { table, targetFileSizeBytes: null, where: null, dryRun: false }));
      const olderThanMs = Number((clock.nowMicros() - 5n * dayMicros) / 1000n);
      if (day % 6 === 5) await icecore.maintenance.expire(call, { table, olderThanMs, keepLast: 1, dryRun: false });
      if (day % 15 === 14) await icecore.maintenance.removeOrphans(call, { table, olderThanMs, dryRun: false });
    }
  }

  async function train(): Promise<void> {
    clock.advance(hourMicros);
    trainingInstant = clock.nowMicros();
    for (const table of featureTables) asTheyWere.set(table, await select(`SELECT * FROM ${table} ORDER BY ALL`));
    const run = await end(
      icecore.training.createTrainingSet(call, {
        name: 'late',
        spine: { source: { sql: 'SELECT * FROM raw.flights' }, eventTime: 'at', labels: ['late'] },
        featureSet: 'delays',
        featureSetVersion: 1,
        pins: [],
        options: { boundary: 'INCLUSIVE', knowledge: 'KNOWN_AT_EVENT', onTie: 'ERROR', nulls: 'KEEP', matchStatus: false },
        split: null,
      }),
    );
    digest = (run.result as { readonly digest: string }).digest;
  }

  async function end(starting: ReturnType<Icecore['training']['createTrainingSet']>) {
    const run = await icecore.runs.ended((await starting).id, AbortSignal.timeout(60_000));
    expect(run.error).toBeNull();
    expect(run.status).toBe('SUCCEEDED');
    return run;
  }

  async function write(table: string, json: readonly unknown[]): Promise<void> {
    const rows = { table, branch: 'main', rows: { json }, mode: 'APPEND', keys: null, expectedSnapshotId: null } as const;
    await icecore.rowWrites.write(call, rows, signal);
  }

  async function select(statement: string): Promise<Rows> {
    const answer = await icecore.selects.run({ statement, parameters: [], engine: 'EMBEDDED' }, 10_000, signal);
    expect(answer.truncated).toBe(false);
    return answer.rows;
  }
});
