import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { defaultPointInTimeOptions, type KnowledgeTime } from '../src/features/point-in-time/options.ts';
import type { PointInTimePlan } from '../src/features/point-in-time/plan.ts';
import { runPointInTime } from '../src/features/point-in-time/run.ts';
import { quoteText } from '../src/sql/quote.ts';
import { type BenchRow, benchRow } from './bench.ts';
import { sideBySide } from './side-by-side.ts';

const spineRows = 200_000;
const featureRows = 2_000_000;
const features = 12;
const entities = 20_000;
const rounds = 5;
const timeToLiveMicros = 2n * 86_400_000_000n;
const work = '200 k spine rows on 2 M rows of 12 features';

interface Files {
  readonly spine: string;
  readonly features: string;
}

/** The point-in-time join from Parquet into a table, beside the best SQL that we can write by hand for the same answer. */
export async function benchPointInTime(): Promise<readonly BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-'));
  const instance = await DuckDBInstance.create(':memory:', { temp_directory: join(directory, 'spill') });
  const connection = await instance.connect();
  try {
    const files = await writeFiles(connection, directory);
    return [
      await compare(connection, files, 'IGNORE', 'the best hand-written DuckDB ASOF query', asofSql(files)),
      await compare(connection, files, 'KNOWN_AT_EVENT', 'the best hand-written DuckDB query', knownSql(files)),
    ];
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(directory, { recursive: true, force: true });
  }
}

async function compare(
  connection: DuckDBConnection,
  files: Files,
  knowledge: KnowledgeTime,
  peer: string,
  peerSql: string,
): Promise<BenchRow> {
  const plan = planOf(files, knowledge);
  const clear = (table: string) => connection.run(`DROP TABLE IF EXISTS ${table}`);
  const seconds = await sideBySide(
    rounds,
    async () => {
      await clear('ours');
      await runPointInTime(connection, plan, 'ours');
    },
    async () => {
      await clear('peer');
      await connection.run(`CREATE TEMP TABLE peer AS ${peerSql}`);
    },
  );
  await assertSame(connection);
  return benchRow({ work: `point in time, ${work}, ${knowledge}`, ours: seconds.ours, unit: 's', peer, peerValue: seconds.peer });
}

/** A quick wrong answer is no measure. */
async function assertSame(connection: DuckDBConnection): Promise<void> {
  const columns = ['spine_position', 'entity', 'ts', 'label', ...featureNames].join(', ');
  const counted = await connection.runAndReadAll(
    `SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM peer), (SELECT count(f0) FROM ours),
            (SELECT count(*) FROM (SELECT ${columns} FROM ours EXCEPT ALL SELECT ${columns} FROM peer))`,
  );
  const [ours, peer, matched, different] = counted.getRows()[0] ?? [];
  if (ours !== BigInt(spineRows) || peer !== ours || matched === 0n || different !== 0n) {
    throw new Error(`The answers differ: ${ours} and ${peer} rows, ${matched} with features, ${different} not the same.`);
  }
}

const featureNames = Array.from({ length: features }, (_, index) => `f${index}`);

async function writeFiles(connection: DuckDBConnection, directory: string): Promise<Files> {
  const files = { spine: join(directory, 'spine.parquet'), features: join(directory, 'features.parquet') };
  // Every entity has a row every 7.2 hours of 30 days, known up to three hours later; no two at the same moment.
  const values = featureNames.map((name, index) => `hash(i, ${index}) % 1000003 / 1000.0 AS ${name}`);
  await connection.run(
    `COPY (SELECT i % ${entities} AS entity, event, event + to_seconds((hash(i, 'known') % 10800)::BIGINT) AS known, ${values.join(', ')}
           FROM (SELECT i, TIMESTAMP '2026-01-01' + to_seconds((i // ${entities}) * 25920 + hash(i, 'event') % 25920) AS event
                 FROM range(${featureRows}) r(i)))
     TO ${quoteText(files.features)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  await connection.run(
    `COPY (SELECT i AS spine_position, (hash(i, 'entity') % ${entities})::BIGINT AS entity,
                  TIMESTAMP '2026-01-01' + to_seconds((hash(i, 'ts') % 2592000)::BIGINT) AS ts, i % 7 = 0 AS label
           FROM range(${spineRows}) r(i))
     TO ${quoteText(files.spine)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  return files;
}

function planOf(files: Files, knowledge: KnowledgeTime): PointInTimePlan {
  return {
    spine: {
      relation: `read_parquet(${quoteText(files.spine)})`,
      eventTime: { column: 'ts', type: 'timestamp' },
      columns: [
        { column: 'entity', type: 'long' },
        { column: 'ts', type: 'timestamp' },
        { column: 'label', type: 'boolean' },
      ],
      labels: ['label'],
    },
    joins: [
      {
        relation: `read_parquet(${quoteText(files.features)})`,
        table: 'features',
        entityKeys: [{ key: 'entity', type: 'long', spineColumn: 'entity' }],
        eventTime: { column: 'event', type: 'timestamp' },
        knownTime: { column: 'known', type: 'timestamp' },
        sequence: null,
        timeToLiveMicros,
        features: featureNames.map((name) => ({ column: name, type: 'double', alias: name })),
        statusColumn: 'features__status',
      },
    ],
    options: { ...defaultPointInTimeOptions, knowledge },
  };
}

/** ASOF finds the event from three narrow columns, and a second join fetches the features: carrying all twelve through ASOF is slower. */
function asofSql(files: Files): string {
  const spine = `read_parquet(${quoteText(files.spine)})`;
  const rows = `read_parquet(${quoteText(files.features)})`;
  return `WITH newest AS (
      SELECT s.spine_position, s.entity, s.ts, f.event FROM ${spine} s ASOF JOIN (SELECT entity, event FROM ${rows}) f
        ON s.entity = f.entity AND s.ts >= f.event)
    SELECT s.entity, s.ts, s.label, s.spine_position, ${featureNames.map((name) => `f.${name}`).join(', ')}
    FROM ${spine} s LEFT JOIN newest n ON n.spine_position = s.spine_position AND n.event >= n.ts - INTERVAL 2 DAY
      LEFT JOIN ${rows} f ON f.entity = n.entity AND f.event = n.event
    ORDER BY s.spine_position`;
}

/** A condition on two times is beyond ASOF: the newest of what lies within the time to live, found by its event, then fetched. */
function knownSql(files: Files): string {
  const spine = `read_parquet(${quoteText(files.spine)})`;
  const rows = `read_parquet(${quoteText(files.features)})`;
  return `WITH newest AS (
      SELECT s.spine_position, s.entity, max(f.event) AS event FROM ${spine} s JOIN ${rows} f
        ON s.entity = f.entity AND f.event <= s.ts AND f.known <= s.ts AND f.event >= s.ts - INTERVAL 2 DAY
      GROUP BY ALL)
    SELECT s.entity, s.ts, s.label, s.spine_position, ${featureNames.map((name) => `f.${name}`).join(', ')}
    FROM ${spine} s LEFT JOIN newest n ON n.spine_position = s.spine_position
      LEFT JOIN ${rows} f ON f.entity = n.entity AND f.event = n.event
    ORDER BY s.spine_position`;
}
