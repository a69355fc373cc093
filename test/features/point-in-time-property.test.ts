import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import type { PointInTimePlan } from '../../src/features/point-in-time/plan.ts';
import { runPointInTime } from '../../src/features/point-in-time/run.ts';
import { featureRelation, type PointInTimeCase, pointInTimeCase, spineRelation } from './point-in-time-case.ts';
import { type ReferenceOptions, ReferenceTie, referenceLookup } from './point-in-time-reference.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  // A zone that is not UTC: the answer must not depend on the session.
  await connection.run("SET TimeZone = 'America/New_York'");
});

afterAll(() => connection.closeSync());

type Switches = Omit<ReferenceOptions, 'timeToLive'>;

const allSwitches: readonly Switches[] = (['INCLUSIVE', 'EXCLUSIVE'] as const).flatMap((boundary) =>
  (['IGNORE', 'KNOWN_AT_EVENT'] as const).flatMap((knowledge) =>
    (['ERROR', 'LAST_BY_SEQUENCE'] as const).flatMap((onTie) =>
      (['KEEP', 'LAST_NON_NULL'] as const).map((nulls) => ({ boundary, knowledge, onTie, nulls })),
    ),
  ),
);

function planOf(sample: PointInTimeCase, switches: Switches, matchStatus: boolean): PointInTimePlan {
  const { types, timeToLive } = sample;
  const keys = types.keys.map((type, i) => ({ key: `k${i}`, type, spineColumn: `entity ${i}` }));
  return {
    spine: {
      relation: spineRelation(sample),
      eventTime: { column: 'ts', type: types.ts },
      columns: [...types.spineKeys.map((type, i) => ({ column: `entity ${i}`, type })), { column: 'ts', type: types.ts }],
      labels: [],
    },
    joins: [
      {
        relation: featureRelation(sample),
        table: 'features.sample',
        entityKeys: keys,
        eventTime: { column: 'event', type: types.event },
        knownTime: { column: 'known', type: types.known },
        sequence: { column: 'sequence', type: 'long' },
        timeToLiveMicros: timeToLive === null ? null : timeToLive / 1000n,
        // The table's column names are those of other columns inside the generated SQL, on purpose.
        features: types.features.map((type, i) => ({ column: `f${types.features.length - 1 - i}`, type, alias: `feature ${i}` })),
        statusColumn: 'sample__status',
      },
    ],
    options: { ...switches, matchStatus },
  };
}

async function expectAsReference(sample: PointInTimeCase, switches: Switches, matchStatus: boolean): Promise<'tie' | 'rows'> {
  const options = { ...switches, timeToLive: sample.timeToLive };
  let expected: (readonly unknown[])[] | null;
  try {
    expected = sample.spine.map((row) => {
      const { values, status } = referenceLookup(row, sample.rows, options);
      const padded = sample.rows.length === 0 ? sample.types.features.map(() => null) : values;
      return matchStatus ? [...padded, status] : padded;
    });
  } catch (error) {
    if (!(error instanceof ReferenceTie)) throw error;
    expected = null;
  }
  try {
    await runPointInTime(connection, planOf(sample, switches, matchStatus), 'answer');
  } catch (error) {
    if (!IcecoreError.is(error, 'FAILED_PRECONDITION')) throw error;
    expect(expected, error.message).toBeNull();
    return 'tie';
  }
  const width = sample.types.keys.length + 1;
  const answer = (await connection.runAndReadAll('SELECT * FROM answer')).getRows();
  await connection.run('DROP TABLE answer');
  expect(expected, 'the reference finds a tie').not.toBeNull();
  expect(answer.map((row) => row[width])).toEqual(sample.spine.map((_, i) => BigInt(i)));
  expect(answer.map((row) => row.slice(width + 1))).toEqual(expected);
  return 'rows';
}

test('2,048 random joins, all options crossed, come out as the naive row-by-row reference says', {
  timeout: 180_000,
}, async () => {
  const outcomes = { tie: 0, rows: 0 };
  await fc.assert(
    fc.asyncProperty(pointInTimeCase, fc.boolean(), async (sample, matchStatus) => {
      for (const switches of allSwitches) outcomes[await expectAsReference(sample, switches, matchStatus)]++;
    }),
    { numRuns: 128, plugins: [fc.unbiased()] },
  );
  // Both ends of the rule have been seen, or the cases say little.
  expect(outcomes.tie).toBeGreaterThan(20);
  expect(outcomes.rows).toBeGreaterThan(500);
});
