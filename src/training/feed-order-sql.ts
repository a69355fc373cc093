import { quoteText } from '../sql/quote.ts';
import { fileColumn, rowColumn } from '../tables/read-parquet.ts';
import type { FeedOrder } from './feed-input.ts';

export const filePlaceColumn = '__icecore_file_place';

/**
 * A key for each row, to sort by: a hash of seed, epoch, the place of the row's file among those of the snapshot, and the row's place
 * in the file; so it depends on no column, batch or rank. Null for NONE: rows as they stand.
 */
export function orderKeySql({ shuffle, seed, epoch }: FeedOrder): string | null {
  if (shuffle === 'NONE') return null;
  const text = [
    quoteText(`icecore-order/0:${seed}:${epoch}:`),
    `${filePlaceColumn}::VARCHAR`,
    `':'`,
    `${rowColumn}::VARCHAR`,
  ].join(' || ');
  return `md5_number_lower(${text})`;
}

/** Rows with `filePlaceColumn`, the place of their file in the order of the snapshot. */
export function withFilePlace(relation: string, paths: readonly string[]): string {
  if (paths.length === 0) return `(SELECT *, 0 AS ${filePlaceColumn} FROM ${relation})`;
  const places = paths.map((path, place) => `(${quoteText(path)}, ${place})`).join(', ');
  return `(SELECT r.*, places.place AS ${filePlaceColumn} FROM ${relation} r JOIN (VALUES ${places}) AS places(path, place) ON places.path = r.${fileColumn})`;
}
