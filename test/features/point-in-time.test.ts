import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultPointInTimeOptions, type PointInTimeOptions } from '../../src/features/point-in-time/options.ts';
import type { FeatureJoin, PointInTimePlan, Spine } from '../../src/features/point-in-time/plan.ts';
import { runPointInTime } from '../../src/features/point-in-time/run.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
});
afterAll(() => connection.closeSync());

const hourMicros = 3_600_000_000n;

/** Rows of (text of SQL literals) under column names. */
function values(columns: string, ...rows: readonly string[]): string {
  return `(SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) v(${columns}))`;
}

async function answer(plan: PointInTimePlan): Promise<readonly Record<string, unknown>[]> {
  await runPointInTime(connection, plan, 'answer');
  const rows = (await connection.runAndReadAll('SELECT * FROM answer')).getRowObjects();
  await connection.run('DROP TABLE answer');
  return rows;
}

/** The spine (key, hour) of the worked example. */
const exampleSpine: Spine = {
  relation: `(SELECT k::BIGINT AS key, TIMESTAMP '2024-01-01' + to_hours(h) AS ts, i::BIGINT AS spine_position FROM ${values(
    'i, k, h',
    '0, 1001, 9',
    '1, 1001, 10',
    '2, 1001, 11',
    '3, 1001, 12',
    '4, 1001, 25',
    '5, 1002, 10',
    '6, 1002, 10',
    '7, 9999, 12',
    '8, NULL, 12',
  )})`,
  eventTime: { column: 'ts', type: 'timestamp' },
  columns: [
    { column: 'key', type: 'long' },
    { column: 'ts', type: 'timestamp' },
  ],
  labels: [],
};

const r1 = '1001, 10, 11, 1, 0.5';
const r2 = '1001, 12, 13, 2, NULL';
const r3 = '1001, 10, 20, 3, 0.9';
const r4 = '1002, 10, 11, 4, 7';
const r5 = '1002, 10, 11, 5, 8';

function exampleJoin(rows: readonly string[], timeToLiveHours: bigint | null): FeatureJoin {
  return {
    relation: `(SELECT key::BIGINT AS key, TIMESTAMP '2024-01-01' + to_hours(e) AS event, TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_hours(n) AS known,
      sequence::INTEGER AS sequence, value::DOUBLE AS value FROM ${values('key, e, n, sequence, value', ...rows)})`,
    table: 'features.example',
    entityKeys: [{ key: 'key', type: 'long', spineColumn: 'key' }],
    eventTime: { column: 'event', type: 'timestamp' },
    knownTime: { column: 'known', type: 'timestamptz' },
    sequence: { column: 'sequence', type: 'int' },
    timeToLiveMicros: timeToLiveHours === null ? null : timeToLiveHours * hourMicros,
    features: [{ column: 'value', type: 'double', alias: 'value' }],
    statusColumn: 'example__status',
  };
}

const matched = 'MATCHED';
const unborn = 'FUTURE_ONLY';
const noEntity = 'NO_ENTITY';
const nullValue = 'NULL_VALUE';
const expired = 'EXPIRED';
const unknown = 'NOT_YET_KNOWN';

/** The columns of the table in semantics.md section 1, each cell with the status that it must have. */
const workedExample: readonly {
  readonly name: string;
  readonly rows: readonly string[];
  readonly ttl: bigint | null;
  readonly options: Partial<PointInTimeOptions>;
  readonly cells: readonly (readonly [number | null, string])[];
}[] = [
  {
    name: 'ttl 5',
    rows: [r1, r2, r3, r4, r5],
    ttl: 5n,
    options: {},
    cells: [
      [null, unborn],
      [0.9, matched],
      [0.9, matched],
      [null, nullValue],
      [null, expired],
      [8, matched],
      [8, matched],
      [null, noEntity],
      [null, noEntity],
    ],
  },
  {
    name: 'ttl 5, KNOWN_AT_EVENT',
    rows: [r1, r2, r3, r4, r5],
    ttl: 5n,
    options: { knowledge: 'KNOWN_AT_EVENT' },
    cells: [
      [null, unborn],
      [null, unknown],
      [0.5, matched],
      [0.5, matched],
      [null, expired],
      [null, unknown],
      [null, unknown],
      [null, noEntity],
      [null, noEntity],
    ],
  },
  {
    name: 'ttl 5, as of snapshot 1',
    rows: [r1, r2, r4, r5],
    ttl: 5n,
    options: {},
    cells: [
      [null, unborn],
      [0.5, matched],
      [0.5, matched],
      [null, nullValue],
      [null, expired],
      [8, matched],
      [8, matched],
      [null, noEntity],
      [null, noEntity],
    ],
  },
  {
    name: 'no ttl',
    rows: [r1, r2, r3, r4, r5],
    ttl: null,
    options: {},
    cells: [
      [null, unborn],
      [0.9, matched],
      [0.9, matched],
      [null, nullValue],
      [null, nullValue],
      [8, matched],
      [8, matched],
      [null, noEntity],
      [null, noEntity],
    ],
  },
  {
    name: 'ttl 5, EXCLUSIVE',
    rows: [r1, r2, r3, r4, r5],
    ttl: 5n,
    options: { boundary: 'EXCLUSIVE' },
    cells: [
      [null, unborn],
      [null, unborn],
      [0.9, matched],
      [0.9, matched],
      [null, expired],
      [null, unborn],
      [null, unborn],
      [null, noEntity],
      [null, noEntity],
    ],
  },
];

describe('the worked example of semantics.md', () => {
  for (const { name, rows, ttl, options, cells } of workedExample) {
    test(name, async () => {
      const got = await answer({
        spine: exampleSpine,
        joins: [exampleJoin(rows, ttl)],
        options: { ...defaultPointInTimeOptions, onTie: 'LAST_BY_SEQUENCE', matchStatus: true, ...options },
      });
      expect(got.map((row) => [row.value, row.example__status])).toEqual(cells);
      expect(Object.keys(got[0] ?? {})).toEqual(['key', 'ts', 'spine_position', 'value', 'example__status']);
      expect(got.map((row) => row.spine_position)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
    });
  }

  test('does not depend on the order of the rows', async () => {
    const plan = (rows: readonly string[]): PointInTimePlan => ({
      spine: exampleSpine,
      joins: [exampleJoin(rows, 5n)],
      options: { ...defaultPointInTimeOptions, onTie: 'LAST_BY_SEQUENCE' },
    });
    expect(await answer(plan([r5, r3, r1, r4, r2]))).toEqual(await answer(plan([r1, r2, r3, r4, r5])));
  });

  test('under ERROR the tie of R4 and R5 fails and names the key, the feature and the cure', async () => {
    const plan = { spine: exampleSpine, joins: [exampleJoin([r1, r2, r3, r4, r5], 5n)], options: defaultPointInTimeOptions };
    await expect(answer(plan)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(
        /^features\.example has rows .* differ in value: \(key = 1002\) at 2024-01-01 10:00:00\. .*LAST_BY_SEQUENCE, which takes the greatest sequence/,
      ),
      context: {
        table: 'features.example',
        features: ['value'],
        entities: [{ keys: { key: '1002' }, at: '2024-01-01 10:00:00' }],
      },
    });
    const left = await connection.runAndReadAll("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'icecore_scratch%'");
    expect(left.getRows()).toEqual([[0n]]);
  });

  test('a tie that no spine row meets is none', async () => {
    const rows = await answer({
      spine: { ...exampleSpine, relation: `(SELECT * FROM ${exampleSpine.relation} WHERE key = 1001)` },
      joins: [exampleJoin([r1, r2, r3, r4, r5], 5n)],
      options: defaultPointInTimeOptions,
    });
    expect(rows.map((row) => row.value)).toEqual([null, 0.9, 0.9, null, null]);
  });

  test('LAST_NON_NULL goes back beyond R2, and not beyond the time to live', async () => {
    const options: PointInTimeOptions = {
      ...defaultPointInTimeOptions,
      onTie: 'LAST_BY_SEQUENCE',
      nulls: 'LAST_NON_NULL',
      matchStatus: true,
    };
    const rows = await answer({ spine: exampleSpine, joins: [exampleJoin([r1, r2, r3, r4, r5], 5n)], options });
    expect(rows.slice(0, 5).map((row) => [row.value, row.example__status])).toEqual([
      [null, unborn],
      [0.9, matched],
      [0.9, matched],
      [0.9, matched],
      [null, expired],
    ]);
    const forever = await answer({ spine: exampleSpine, joins: [exampleJoin([r1, r2, r3, r4, r5], null)], options });
    expect(forever[4]?.value).toBe(0.9);
  });
});

test('composite keys are tuples: (1, 12) is not (11, 2), and null keys match nothing', async () => {
  const rows = await answer({
    spine: {
      relation: values(
        'a, b, ts, spine_position',
        "1, 12::BIGINT, DATE '2024-01-02', 0",
        "11, 2, DATE '2024-01-02', 1",
        "NULL, 12, DATE '2024-01-02', 2",
        '1, 12, NULL, 3',
        "1, 12, DATE '2024-01-02', 4",
      ),
      eventTime: { column: 'ts', type: 'date' },
      columns: [
        { column: 'a', type: 'int' },
        { column: 'b', type: 'long' },
        { column: 'ts', type: 'date' },
      ],
      labels: [],
    },
    joins: [
      {
        ...exampleJoin([], null),
        relation: values(
          'a, b, event, value',
          "1::BIGINT, 12, DATE '2024-01-01', 1.5::DOUBLE",
          "11, 2, DATE '2024-01-01', 2.5",
          "NULL, 12, DATE '2024-01-01', 3.5",
        ),
        entityKeys: [
          { key: 'a', type: 'long', spineColumn: 'a' },
          { key: 'b', type: 'int', spineColumn: 'b' },
        ],
        eventTime: { column: 'event', type: 'date' },
        knownTime: null,
        sequence: null,
      },
    ],
    options: defaultPointInTimeOptions,
  });
  expect(rows.map((row) => row.value)).toEqual([1.5, 2.5, null, null, 1.5]);
});

test('one table by two key maps, each with its own columns and status', async () => {
  const airports: FeatureJoin = {
    ...exampleJoin([], null),
    relation: values(
      'code, event, delay',
      "'SFO', TIMESTAMP '2024-01-01 00:00', 4::BIGINT",
      "'JFK', TIMESTAMP '2024-01-01 00:00', 9",
    ),
    table: 'features.airports',
    knownTime: null,
    sequence: null,
  };
  const from = (spineColumn: string, alias: string): FeatureJoin => ({
    ...airports,
    entityKeys: [{ key: 'code', type: 'string', spineColumn }],
    features: [{ column: 'delay', type: 'long', alias }],
    statusColumn: `${alias}__status`,
  });
  const rows = await answer({
    spine: {
      relation: values(
        'origin, dest, "at", late, spine_position',
        "'SFO', 'JFK', TIMESTAMP '2024-01-02', true, 0",
        "'LAX', 'SFO', TIMESTAMP '2024-01-02', false, 1",
      ),
      eventTime: { column: 'at', type: 'timestamp' },
      columns: [
        { column: 'origin', type: 'string' },
        { column: 'dest', type: 'string' },
        { column: 'at', type: 'timestamp' },
        { column: 'late', type: 'boolean' },
      ],
      labels: ['late'],
    },
    joins: [from('origin', 'origin_delay'), from('dest', 'dest_delay')],
    options: { ...defaultPointInTimeOptions, matchStatus: true },
  });
  expect(rows.map(({ origin_delay, dest_delay }) => [origin_delay, dest_delay])).toEqual([
    [4n, 9n],
    [null, 4n],
  ]);
  expect(rows.map(({ origin_delay__status, dest_delay__status }) => [origin_delay__status, dest_delay__status])).toEqual([
    [matched, matched],
    [noEntity, matched],
  ]);
});

describe('a tie is what the row digest could tell apart', () => {
  const join = (type: FeatureJoin['features'][number]['type'], ...cells: readonly string[]): PointInTimePlan => ({
    spine: {
      ...exampleSpine,
      relation: `(SELECT * FROM ${exampleSpine.relation} WHERE key = 1001 AND ts = TIMESTAMP '2024-01-01 10:00')`,
    },
    joins: [
      {
        ...exampleJoin([], null),
        relation: values('key, event, value', ...cells.map((cell) => `1001::BIGINT, TIMESTAMP '2024-01-01', ${cell}`)),
        knownTime: null,
        sequence: null,
        features: [{ column: 'value', type, alias: 'value' }],
      },
    ],
    options: defaultPointInTimeOptions,
  });
  const tieOf = { code: 'FAILED_PRECONDITION', message: expect.stringContaining('declare a sequence column') };
  const struct = { kind: 'struct', fields: [{ id: 2, name: "o'x", type: 'double', required: false }] } as const;
  const list = { kind: 'list', elementId: 2, element: struct, elementRequired: false } as const;
  const map = { kind: 'map', keyId: 2, key: 'string', valueId: 3, value: 'double', valueRequired: false } as const;

  test.each([
    ['-0 and 0', 'double', ['-0.0::DOUBLE', '0.0']],
    ['null and a value', 'long', ['NULL::BIGINT', '0']],
    ['-0 and 0 within a list of structs', list, [`[{'o''x': -0.0::DOUBLE}]`, `[{'o''x': 0.0::DOUBLE}]`]],
    ['a null struct and a struct of null', struct, [`{'o''x': NULL::DOUBLE}`, 'NULL']],
    ['other values of a map', map, [`MAP {'a': 1::DOUBLE}`, `MAP {'a': 2::DOUBLE}`]],
  ] as const)('%s differ', async (_, type, cells) => {
    await expect(answer(join(type, ...cells))).rejects.toMatchObject(tieOf);
  });

  test.each([
    ['two NaNs', 'double', ["'nan'::DOUBLE", "-('nan'::DOUBLE)"]],
    ['two nulls', 'string', ['NULL::VARCHAR', 'NULL']],
    ['the same entries of a map in another order', map, [`MAP {'a': 1::DOUBLE, 'b': 2}`, `MAP {'b': 2::DOUBLE, 'a': 1}`]],
    ['lists of NaN', list, [`[{'o''x': 'nan'::DOUBLE}]`, `[{'o''x': -('nan'::DOUBLE)}]`]],
  ] as const)('%s do not', async (_, type, cells) => {
    expect(await answer(join(type, ...cells))).toHaveLength(1);
  });
});

test('nanoseconds decide, and are not rounded against microseconds', async () => {
  const plan = (ts: string, event: string): PointInTimePlan => ({
    spine: {
      relation: `(SELECT 1::BIGINT AS key, ${ts} AS ts, 0::BIGINT AS spine_position)`,
      eventTime: { column: 'ts', type: ts.includes('_NS') ? 'timestamp_ns' : 'timestamptz' },
      columns: [
        { column: 'key', type: 'long' },
        { column: 'ts', type: 'timestamp' },
      ],
      labels: [],
    },
    joins: [
      {
        ...exampleJoin([], 0n),
        relation: `(SELECT 1::BIGINT AS key, ${event} AS event, 1::DOUBLE AS value)`,
        eventTime: { column: 'event', type: event.includes('_NS') ? 'timestamp_ns' : 'timestamp' },
        knownTime: null,
        sequence: null,
      },
    ],
    options: { ...defaultPointInTimeOptions, matchStatus: true },
  });
  const status = async (ts: string, event: string) => (await answer(plan(ts, event)))[0]?.example__status;
  const micros = "TIMESTAMPTZ '2024-01-01 00:00:00.000001+00'";
  expect(await status(micros, "TIMESTAMP_NS '2024-01-01 00:00:00.000001000'")).toBe(matched);
  expect(await status(micros, "TIMESTAMP_NS '2024-01-01 00:00:00.000001001'")).toBe(unborn);
  expect(await status(micros, "TIMESTAMP_NS '2024-01-01 00:00:00.000000999'")).toBe(expired);
  expect(await status("TIMESTAMP_NS '2024-01-01 00:00:00.000000999'", "TIMESTAMP '2024-01-01 00:00:00.000001'")).toBe(unborn);
  expect(await status("TIMESTAMP_NS '2024-01-01 00:00:00'", "TIMESTAMP '0001-01-01 00:00:00'")).toBe(expired);
});

test('infinite times, as the ends of a long read, keep their place in the order', async () => {
  const plan = (ts: string, event: string, options: Partial<PointInTimeOptions>): PointInTimePlan => ({
    spine: {
      relation: `(SELECT 1::BIGINT AS key, ${ts} AS ts, 0::BIGINT AS spine_position)`,
      eventTime: { column: 'ts', type: 'timestamptz' },
      columns: [
        { column: 'key', type: 'long' },
        { column: 'ts', type: 'timestamptz' },
      ],
      labels: [],
    },
    joins: [
      {
        ...exampleJoin([], 5n),
        relation: `(SELECT 1::BIGINT AS key, ${event} AS event, TIMESTAMPTZ '2024-01-01' AS known, 1::DOUBLE AS value)`,
        sequence: null,
      },
    ],
    options: { ...defaultPointInTimeOptions, matchStatus: true, ...options },
  });
  const both = async (ts: string, event: string, options: Partial<PointInTimeOptions>) => {
    const statuses: unknown[] = [];
    for (const knowledge of ['IGNORE', 'KNOWN_AT_EVENT'] as const) {
      statuses.push((await answer(plan(ts, event, { ...options, knowledge })))[0]?.example__status);
    }
    return statuses;
  };
  const noon = "TIMESTAMPTZ '2024-01-01 12:00:00+00'";
  expect(await both(noon, "TIMESTAMP 'infinity'", {})).toEqual([unborn, unborn]);
  expect(await both(noon, "TIMESTAMP '-infinity'", {})).toEqual([expired, expired]);
  expect(await both("TIMESTAMPTZ 'infinity'", noon.replace('TZ', '').replace('+00', ''), {})).toEqual([expired, expired]);
  expect(await both("TIMESTAMPTZ 'infinity'", "TIMESTAMP 'infinity'", {})).toEqual([matched, matched]);
  expect(await both("TIMESTAMPTZ 'infinity'", "TIMESTAMP 'infinity'", { boundary: 'EXCLUSIVE' })).toEqual([unborn, unborn]);
});

test('an aborted join stops and leaves nothing behind', async () => {
  const plan = { spine: exampleSpine, joins: [exampleJoin([r1], null)], options: defaultPointInTimeOptions };
  await expect(runPointInTime(connection, plan, 'answer', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  const left = await connection.runAndReadAll('SELECT count(*) FROM duckdb_tables() WHERE temporary');
  expect(left.getRows()).toEqual([[0n]]);
});
