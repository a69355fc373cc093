import { IcecoreError } from '../errors.ts';
import { pageFilesMax } from '../limits.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { quoteText } from '../sql/quote.ts';
import type { ScanRelation } from './scan-relation.ts';
import type { Tables } from './tables.ts';

/** What DuckDB puts before the colon of a message about a file that it cannot read; some of it is about statements too. */
const filesNamedMax = 5;

/** Of these it is not known that they are about a file. */
const aboutStatements = /^(Invalid Input|INTERNAL) Error/;

const fileFaults = new Set(['IO Error', 'Invalid Input Error', 'Invalid Error', 'INTERNAL Error', 'Serialization Error']);

/**
 * An error of a statement over a scan as `duckDbError` has it; where one of the scan's files is damaged, FAILED_PRECONDITION that names it. DuckDB
 * does not always say which, so a few files are tried one by one.
 */
export async function scanError(
  tables: Tables,
  scan: Pick<ScanRelation, 'locations'>,
  error: unknown,
  what: string,
): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof IcecoreError) return duckDbError(error, what);
  if (!fileFaults.has(error.message.slice(0, Math.max(0, error.message.indexOf(':'))))) return duckDbError(error, what);
  const files = await damagedFiles(tables, scan, error.message);
  const [file, ...others] = files;
  if (file === undefined) return duckDbError(error, what);
  const which = others.length === 0 ? `The file ${file}` : `One of the files ${files.slice(0, filesNamedMax).join(', ')}`;
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `${which} cannot be read: it is damaged, or no Parquet. Put back what was written, or take the file out of the table.`,
    { context: { file, files: files.slice(0, filesNamedMax) }, cause: error },
  );
}

/** The one that is it, where that can be found out; else all that may be. */
async function damagedFiles(
  tables: Tables,
  { locations }: Pick<ScanRelation, 'locations'>,
  message: string,
): Promise<readonly string[]> {
  for (const [path, location] of locations) if (message.includes(path)) return [location];
  if (locations.size > 1) {
    for (const [path, location] of [...locations].slice(0, pageFilesMax)) if (await isDamaged(tables, path)) return [location];
  }
  return aboutStatements.test(message) ? [] : [...locations.values()];
}

/** On the guarded instance: whoever asks may hold one of the trusted one's connections, and would wait for another. */
async function isDamaged(tables: Tables, path: string): Promise<boolean> {
  try {
    await tables.duckdb.guarded.use((connection) =>
      connection.run(`SELECT max(hash(COLUMNS(*))) FROM read_parquet(${quoteText(path)}, hive_partitioning = false)`),
    );
    return false;
  } catch (error) {
    return error instanceof Error && !/^(INTERRUPT|Out of Memory) Error/.test(error.message) && !IcecoreError.is(error);
  }
}
