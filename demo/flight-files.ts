import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { quoteText } from '../src/sql/quote.ts';

/** The months of the data; the last arrives when the model is already at work. */
export const months = ['2001-01', '2001-02', '2001-03', '2001-04', '2001-05', '2001-06'] as const;

const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
export const airportsFile = join(data, 'airports.csv');

/**
 * One Parquet file a month below `directory`, as an airline would deliver them, of about `rows` of the three million flights, spread
 * evenly. Files that are there already are kept.
 */
export async function deliverFlights(directory: string, rows: number): Promise<readonly string[]> {
  mkdirSync(directory, { recursive: true });
  const files = months.map((month) => join(directory, `flights-${month}.parquet`));
  if (files.every((file) => existsSync(file))) return files;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const source = quoteText(join(data, 'flights-3m.parquet'));
  const share = Math.min(1, rows / 3_000_000);
  const kept = share === 1 ? 'true' : `hash(date, origin, destination, distance) % 1000000 < ${Math.ceil(share * 1_000_000)}`;
  for (const [index, month] of months.entries()) {
    const file = files[index] ?? '';
    const where = `date >= DATE '${month}-01' AND date < DATE '${month}-01' + INTERVAL 1 MONTH AND ${kept}`;
    await connection.run(
      `COPY (SELECT * FROM read_parquet(${source}) WHERE ${where}) TO ${quoteText(`${file}.new`)} (FORMAT parquet)`,
    );
    renameSync(`${file}.new`, file);
  }
  connection.closeSync();
  return files;
}
