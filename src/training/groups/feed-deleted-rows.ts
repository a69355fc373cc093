import type { DataFile } from '../../iceberg/data-file.ts';
import { feedFootersReadAtOnce, feedVectorsReadAtOnce } from '../../limits.ts';
import { refuseCutShort } from '../../sql/cut-short.ts';
import { quoteText } from '../../sql/quote.ts';
import type { LocalCopy } from '../../storage/storage.ts';
import { openAsParquet } from '../../tables/avro-file.ts';
import { positionDeletesSql } from '../../tables/delete-filter.ts';
import { requireDeleteIds } from '../../tables/delete-shape.ts';
import { isDeletionVector, readVector } from '../../tables/deletion-vectors.ts';
import { scanError } from '../../tables/scan-error.ts';
import type { Tables } from '../../tables/tables.ts';
import type { LiveBits } from './live-bits.ts';

/** A data file from which rows are deleted by position alone. */
export interface DeletedFrom {
  readonly file: DataFile;
  readonly deletes: readonly DataFile[];
}

/** Whether what is deleted from a file can be found out without looking into it. */
export function isByPosition({ deletes }: Pick<DeletedFrom, 'deletes'>): boolean {
  return deletes.every(({ content }) => content === 'position-deletes');
}

/**
 * Takes rows that are deleted by position out of the bits of their files, by location; the data files are not looked into. Throws
 * FAILED_PRECONDITION, naming the file, where deletes cannot be read.
 */
export async function takeOutDeleted(
  tables: Tables,
  work: readonly DeletedFrom[],
  bits: ReadonlyMap<string, LiveBits>,
  signal?: AbortSignal,
): Promise<void> {
  const vectors = work.flatMap(({ file, deletes }) => deletes.filter(isDeletionVector).map((vector) => ({ file, vector })));
  const turns = vectors.values();
  const read = async (): Promise<void> => {
    for (const { file, vector } of turns) {
      signal?.throwIfAborted();
      for (const position of await readVector(tables, vector, file)) bits.get(file.filePath)?.clear(position);
    }
  };
  await Promise.all(Array.from({ length: Math.min(feedVectorsReadAtOnce, vectors.length) }, read));
  const files = new Map(
    work.flatMap(({ deletes }) =>
      deletes.filter((each) => !isDeletionVector(each)).map((each) => [each.filePath, each] as const),
    ),
  );
  if (files.size > 0) await takeOutListed(tables, work, [...files.values()], bits, signal);
}

/** How many bits DuckDB gives at a time. */
const bitsAtOnce = 65_536;

async function takeOutListed(
  tables: Tables,
  work: readonly DeletedFrom[],
  files: readonly DataFile[],
  bits: ReadonlyMap<string, LiveBits>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const copies = new Map<string, LocalCopy>();
  const turns = files.values();
  const open = async (): Promise<void> => {
    for (const file of turns) {
      signal?.throwIfAborted();
      copies.set(file.filePath, await openAsParquet(tables, file, []));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(feedFootersReadAtOnce, files.length) }, open));
    const path = (location: string) => copies.get(location)?.path ?? location;
    await requireDeleteIds(tables, files, path);
    const applies = new Set(
      work.flatMap(({ file, deletes }) => deletes.map((each) => `${path(each.filePath)} ${file.filePath}`)),
    );
    const targets = work.map(({ file }) => quoteText(file.filePath)).join(', ');
    await tables.duckdb.trusted.use(async (connection) => {
      const result = await connection.stream(
        `SELECT filename, target, position // ${bitsAtOnce}, bitstring_agg((position % ${bitsAtOnce})::INTEGER, 0, ${bitsAtOnce - 1}) ` +
          `FROM ${positionDeletesSql([...copies.values()].map((copy) => copy.path))} WHERE target IN (${targets}) GROUP BY ALL`,
      );
      for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        signal?.throwIfAborted();
        for (const [filename, target, part, bit] of chunk.getRows()) {
          if (!applies.has(`${String(filename)} ${String(target)}`)) continue;
          const { data } = bit as unknown as { readonly data: Uint8Array };
          bits.get(String(target))?.takeOut(data, Number(part) * bitsAtOnce);
        }
      }
      refuseCutShort(result, 'The count of deleted rows', signal);
    }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    const locations = new Map([...copies].map(([location, copy]) => [copy.path, location] as const));
    throw await scanError(tables, { locations }, error, 'The count of deleted rows');
  } finally {
    for (const copy of copies.values()) copy.release();
  }
}
