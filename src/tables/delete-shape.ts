import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { isDeletionVector } from './deletion-vectors.ts';
import { isOwnName } from './own-name.ts';
import { isReadById, parquetShapes } from './parquet-shape.ts';
import type { Tables } from './tables.ts';

/**
 * Throws FAILED_PRECONDITION, naming the file, for a delete file whose columns do not all have ids, by which alone they are known (spec: "Delete
 * Formats"). `path` gives where the file lies locally.
 */
export async function requireDeleteIds(
  tables: Tables,
  deletes: readonly DataFile[],
  path: (location: string) => string,
): Promise<void> {
  const foreign = deletes.filter((file) => !isDeletionVector(file) && !isOwnName(file.filePath));
  if (foreign.length === 0) return;
  const shapes = await parquetShapes(
    tables,
    foreign.map(({ filePath }) => path(filePath)),
  );
  const wrong = foreign.find(({ filePath }) => !isReadById(shapes.get(path(filePath)) ?? []));
  if (wrong === undefined) return;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The delete file ${wrong.filePath} has columns without a field id of their own, so that it cannot be told what it deletes.`,
    { context: { file: wrong.filePath } },
  );
}
