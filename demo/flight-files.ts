import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../src/sql/quote.ts';

/** The months of the data; the last arrives when the model is already at work. */
const months = ['2001-01', '2001-02', '2001-03', '2001-04', '2001-05', '2001-06'] as const;
/** The last month comes from each carrier on its own, so that its days are in several files: something to compact. */
const lastMonthParts = 3;

/** One file as an airline would deliver it. */
export interface Delivery {
  /** `2001-01`, or `2001-06-part-1`. */
  readonly name: string;
  readonly file: string;
}

export interface Deliveries {
  readonly first: readonly Delivery[];
  /** What arrives a month later. */
  readonly later: readonly Delivery[];
}

const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
export const airportsFile = join(data, 'airports.csv');

/**
 * Parquet files below `directory`, a month each and the last month in parts, of about `rows` of the three million flights, spread evenly.
 * Files that are there already are kept.
 */
export async function deliverFlights(directory: string, rows: number): Promise<Deliveries> {
  mkdirSync(directory, { recursive: true });
  const share = Math.min(1, rows / 3_000_000);
  const hash = 'hash(date, origin, destination, distance)';
  const sampled = share === 1 ? 'true' : `${hash} % 1000000 < ${Math.ceil(share * 1_000_000)}`;
  const delivery = (name: string): Delivery => ({ name, file: join(directory, `flights-${name}.parquet`) });
  const last = months.at(-1);
  const first = months.slice(0, -1).map((month) => ({ month, where: sampled, ...delivery(month) }));
  const later = Array.from({ length: lastMonthParts }, (_, part) => ({
    month: last ?? '',
    where: `${sampled} AND ${hash} // 1000000 % ${lastMonthParts} = ${part}`,
    ...delivery(`${last}-part-${part + 1}`),
  }));
  const missing = [...first, ...later].filter(({ file }) => !existsSync(file));
  if (missing.length > 0) await copyMonths(missing);
  return { first, later };
}

async function copyMonths(files: readonly (Delivery & { readonly month: string; readonly where: string })[]): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const source = quoteText(join(data, 'flights-3m.parquet'));
  for (const { file, month, where } of files) {
    const inMonth = `date >= DATE '${month}-01' AND date < DATE '${month}-01' + INTERVAL 1 MONTH`;
    const rows = `SELECT * FROM read_parquet(${source}) WHERE ${inMonth} AND ${where}`;
    await connection.run(`COPY (${rows}) TO ${quoteText(`${file}.new`)} (FORMAT parquet)`);
    renameSync(`${file}.new`, file);
  }
  connection.closeSync();
  instance.closeSync();
}
