import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { airportHourly, routeDaily } from '../demo/definitions.ts';
import { airportsFile, type Deliveries } from '../demo/flight-files.ts';
import { hourInput, type LateModel } from '../demo/late-model.ts';
import { worstAirports } from '../demo/steps/proof.ts';
import { features, spineSql } from '../demo/steps/training-set.ts';
import { quoteText } from '../src/sql/quote.ts';
import { timed } from './side-by-side.ts';

export type BareStep =
  | 'flights'
  | 'airports'
  | 'airport_hourly'
  | 'route_daily'
  | 'training_set'
  | 'epoch'
  | 'scores'
  | 'worst_airports'
  | 'next_month'
  | 'compaction';

export interface DemoDays {
  readonly testFrom: string;
  readonly cutOff: string;
  readonly scoredFrom: string;
  readonly scoredTo: string;
}

export interface BareWork {
  readonly deliveries: Deliveries;
  readonly days: DemoDays;
  readonly model: LateModel;
  readonly trainingRows: number;
}

/** The demo's data work as a person would write it for DuckDB: files in, files out; no snapshots, digests, lineage or audit. */
export class BareDuckDb {
  readonly #connection: DuckDBConnection;
  readonly #directory: string;
  readonly #seconds = new Map<BareStep, number>();

  private constructor(connection: DuckDBConnection, directory: string) {
    this.#connection = connection;
    this.#directory = directory;
  }

  /** Does all of it in a directory, and gives the seconds of each step. */
  static async run(directory: string, work: BareWork): Promise<(step: BareStep) => number> {
    await mkdir(join(directory, 'flights'), { recursive: true });
    const instance = await DuckDBInstance.create(':memory:', { temp_directory: join(directory, 'spill') });
    const connection = await instance.connect();
    try {
      const bare = new BareDuckDb(connection, directory);
      await bare.#all(work);
      return (step) => bare.#seconds.get(step) ?? Number.NaN;
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }

  async #all({ deliveries, days, model, trainingRows }: BareWork): Promise<void> {
    for (const schema of ['raw', 'features', 'predictions']) await this.#connection.run(`CREATE SCHEMA ${schema}`);
    await this.#step('flights', () =>
      this.#byDay(
        deliveries.first.map(({ file }) => `read_parquet(${quoteText(file)})`),
        'flights',
      ),
    );
    await this.#view('raw.flights', 'flights/**/*.parquet');
    await this.#copy('airports', `SELECT * FROM read_csv(${quoteText(airportsFile)})`);
    await this.#view('raw.airports', 'airports.parquet');
    await this.#copy('airport_hourly', airportHourly);
    await this.#view('features.airport_hourly', 'airport_hourly.parquet');
    await this.#copy('route_daily', routeDaily);
    await this.#view('features.route_daily', 'route_daily.parquet');

    const split = `CASE WHEN date < TIMESTAMP '${days.testFrom}' THEN 'train' ELSE 'test' END AS split`;
    const spine = spineSql(`date < TIMESTAMP '${days.cutOff}'`, trainingRows);
    await this.#copy('training_set', `SELECT *, ${split} FROM (${joinedSql(spine)}) ORDER BY spine_position`);
    await this.#view('training_set', 'training_set.parquet');
    await this.#copy('epoch', "SELECT * FROM training_set WHERE split = 'train' ORDER BY hash(1, spine_position)");

    const scored = spineSql(`date >= TIMESTAMP '${days.scoredFrom}' AND date < TIMESTAMP '${days.scoredTo}'`, null);
    await this.#copy('scores', `SELECT *, ${probabilitySql(model)} AS probability_late FROM (${joinedSql(scored)})`);
    await this.#view('predictions.flight_late', 'scores.parquet');
    await this.#copy('worst_airports', worstAirports);

    await this.#step('next_month', () =>
      this.#byDay(
        deliveries.later.map(({ file }) => `read_parquet(${quoteText(file)})`),
        'flights',
      ),
    );
    await this.#step('compaction', () =>
      this.#byDay(
        ["(SELECT date, delay, distance, origin, destination FROM raw.flights WHERE date >= TIMESTAMP '2001-06-01')"],
        'compacted',
      ),
    );
  }

  async #step(step: BareStep, work: () => Promise<void>): Promise<void> {
    this.#seconds.set(step, await timed(work));
  }

  async #copy(step: BareStep, select: string): Promise<void> {
    const file = quoteText(join(this.#directory, `${step}.parquet`));
    await this.#step(step, async () => {
      await this.#connection.run(`COPY (${select}) TO ${file} (FORMAT parquet, COMPRESSION zstd)`);
    });
  }

  /** One write after the other, as the months arrive. */
  async #byDay(relations: readonly string[], into: string): Promise<void> {
    const directory = quoteText(join(this.#directory, into));
    for (const relation of relations) {
      await this.#connection.run(
        `COPY (SELECT *, date::DATE AS day FROM ${relation}) TO ${directory}
         (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day), OVERWRITE_OR_IGNORE, FILENAME_PATTERN 'flights-{uuid}')`,
      );
    }
  }

  async #view(name: string, files: string): Promise<void> {
    await this.#connection.run(`CREATE VIEW ${name} AS SELECT * FROM read_parquet(${quoteText(join(this.#directory, files))})`);
  }
}

/** The features that were known at each flight's departure, by the newest event within the time to live. */
function joinedSql(spine: string): string {
  const hourly = features.filter((name) => !name.startsWith('route_')).map((name) => `h.${name}`);
  const daily = features.filter((name) => name.startsWith('route_')).map((name) => `d.${name.slice('route_'.length)} AS ${name}`);
  return `WITH spine AS (SELECT row_number() OVER () AS spine_position, * FROM (${spine})),
    hour_of AS (${newestSql('features.airport_hourly', ['origin'], 2)}), day_of AS (${newestSql('features.route_daily', ['origin', 'destination'], 14)})
    SELECT s.*, ${[...hourly, ...daily].join(', ')} FROM spine s
      LEFT JOIN hour_of ON hour_of.spine_position = s.spine_position
      LEFT JOIN features.airport_hourly h ON h.origin = s.origin AND h.event_time = hour_of.event_time
      LEFT JOIN day_of ON day_of.spine_position = s.spine_position
      LEFT JOIN features.route_daily d ON d.origin = s.origin AND d.destination = s.destination AND d.event_time = day_of.event_time`;
}

/** One ASOF join for a condition on two times: in order of when a row can be seen, the newest event so far is a running maximum. */
function newestSql(table: string, keys: readonly string[], days: number): string {
  const equal = keys.map((key) => `f.${key} = s.${key}`).join(' AND ');
  return `SELECT s.spine_position, f.event_time FROM spine s ASOF JOIN (
      SELECT ${keys.join(', ')}, greatest(event_time, known_time) AS seen,
             max(event_time) OVER (PARTITION BY ${keys.join(', ')} ORDER BY greatest(event_time, known_time)) AS event_time
      FROM ${table}) f ON ${equal} AND s.date >= f.seen
    WHERE f.event_time >= s.date - INTERVAL ${days} DAY`;
}

/** The model as an expression: no process is asked, no row leaves the engine. */
function probabilitySql({ inputs, weights }: LateModel): string {
  const terms = inputs.map(({ name, mean, deviation }, index) => {
    const standard = `greatest(-5, least(5, (${name} - ${mean}) / ${deviation}))`;
    return `coalesce(${weights[2 * index]} * ${standard}, ${weights[2 * index + 1]})`;
  });
  const hours = `[${weights.slice(2 * inputs.length, -1).join(', ')}][${hourInput} + 1]`;
  return `1 / (1 + exp(-(${[...terms, hours, weights.at(-1)].join(' + ')})))`;
}
