import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { openAvroData } from '../iceberg/avro-data.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { Schema } from '../iceberg/schema.ts';
import { isPlainObject } from '../sql/httpfs.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { parseLocation, printLocation } from '../storage/location.ts';
import type { LocalCopy } from '../storage/storage.ts';
import { columnOf, jsonLine, jsonType } from './avro-rows.ts';
import { printFieldIds } from './parquet-columns.ts';
import type { Tables } from './tables.ts';
import { withoutInstants, zonedNanosIds } from './zoned-nanos.ts';

/** How many lines become text at a time. */
const rowsAtOnce = 512;

/** A Parquet file with the rows of a data or delete file of a table with such schemas, as DuckDB reads it: where it is, or as a local copy. */
export async function openAsParquet(
  tables: Tables,
  { filePath, fileFormat }: DataFile,
  schemas: readonly Schema[],
): Promise<LocalCopy> {
  if (fileFormat === 'avro') return await convert(tables, filePath);
  if (zonedNanosIds(schemas).size > 0) return await openWithoutInstants(tables, filePath);
  const { scheme } = parseLocation(filePath);
  const object = scheme === 's3' && tables.readsObjects ? printLocation(parseLocation(filePath)) : '';
  return isPlainObject(object) ? { path: object, release: () => {} } : await tables.storage.open(filePath);
}

async function openWithoutInstants(tables: Tables, location: string): Promise<LocalCopy> {
  const copy = await tables.storage.open(location);
  try {
    return await withoutInstants(copy, tables.stagingDirectory);
  } catch (error) {
    copy.release();
    throw IcecoreError.is(error, 'FAILED_PRECONDITION') ? namedError(error, location) : error;
  }
}

/**
 * The rows of an Avro file as Parquet, in their order and with the file's own columns and field ids, so that everything that is read by position
 * or id goes for both. Gone when it is released.
 */
async function convert(tables: Tables, location: string): Promise<LocalCopy> {
  const directory = tables.stagingDirectory;
  await mkdir(directory, { recursive: true });
  const json = join(directory, `${randomUUID()}.json`);
  const path = join(directory, `${randomUUID()}.parquet`);
  try {
    const { fields, hasIds, rows } = openAvroData(await tables.storage.read(location));
    await pipeline(Readable.from(lines(fields, rows())), createWriteStream(json));
    const types = fields.map(({ type }, index) => `c${index}: ${quoteText(jsonType(type))}`);
    const columns = fields.map(({ name, type }, index) => `${columnOf(type, `r.c${index}`)} AS ${quoteIdentifier(name)}`);
    const source = `read_json(${quoteText(json)}, format = 'newline_delimited', columns = {${types.join(', ')}}, maximum_object_size = 67108864)`;
    const ids = hasIds ? `, FIELD_IDS ${printFieldIds(fields)}` : '';
    await copyApart(
      `COPY (SELECT ${columns.join(', ')} FROM ${source} AS r) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd${ids})`,
    );
    // What stays behind in the cache's directory can be lost at any time.
    return { path, release: () => void rm(path, { force: true }).catch(() => undefined) };
  } catch (error) {
    await rm(path, { force: true });
    throw IcecoreError.is(error, 'FAILED_PRECONDITION') ? namedError(error, location) : error;
  } finally {
    await rm(json, { force: true });
  }
}

function namedError(cause: IcecoreError, location: string): IcecoreError {
  const message = `The file ${location} cannot be read. ${cause.message}`;
  return new IcecoreError('FAILED_PRECONDITION', message, { context: { file: location }, cause });
}

/** Runs a COPY on an instance of its own: whoever asks may hold one of the others' connections, and would wait for another. */
export async function copyApart(statement: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', { preserve_insertion_order: 'true', threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(statement);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function* lines(fields: Parameters<typeof jsonLine>[0], rows: Iterable<Readonly<Record<string, unknown>>>): Generator<string> {
  let text = '';
  let count = 0;
  for (const row of rows) {
    text += jsonLine(fields, row);
    if (++count % rowsAtOnce !== 0) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
