import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import type { LocalCopy } from '../storage/storage.ts';
import { copyApart } from './avro-file.ts';
import { parquetShapes, type ShapeNode } from './parquet-shape.ts';
import type { Tables } from './tables.ts';

/** An equality delete file with each of its fields as a column of its own: the file itself where none is inside of a struct. */
export async function flatDeletes(tables: Tables, copy: LocalCopy, fieldIds: readonly number[]): Promise<LocalCopy> {
  const shape = (await parquetShapes(tables, [copy.path])).get(copy.path) ?? [];
  if (fieldIds.every((id) => shape.some(({ fieldId }) => fieldId === id))) return copy;
  const found = fieldIds.flatMap((id) => {
    const value = fieldSql(shape, id, null);
    return value === null ? [] : [{ id, value }];
  });
  if (found.length === 0) return copy;
  await mkdir(tables.stagingDirectory, { recursive: true });
  const path = join(tables.stagingDirectory, `${randomUUID()}.parquet`);
  const columns = found.map(({ id, value }) => `${value} AS c${id}`);
  const ids = found.map(({ id }) => `c${id}: ${id}`);
  const release = () => {
    copy.release();
    // What stays behind in the cache's directory can be lost at any time.
    void rm(path, { force: true }).catch(() => undefined);
  };
  await copyApart(
    `COPY (SELECT ${columns.join(', ')} FROM read_parquet(${quoteText(copy.path)}, hive_partitioning = false) AS data) ` +
      `TO ${quoteText(path)} (FORMAT parquet, FIELD_IDS {${ids.join(', ')}})`,
  ).catch((error: unknown) => {
    release();
    throw error;
  });
  return { path, release };
}

/** SQL for the value of a field, null below a struct that is null. */
function fieldSql(nodes: readonly ShapeNode[], id: number, struct: string | null): string | null {
  for (const node of nodes) {
    const value = struct === null ? `data.${quoteIdentifier(node.name)}` : `struct_extract(${struct}, ${quoteText(node.name)})`;
    if (node.fieldId === id) return value;
    const inside = fieldSql(node.children, id, value);
    if (inside !== null) return inside;
  }
  return null;
}
