import { quoteText } from '../sql/quote.ts';
import type { Tables } from './tables.ts';

/** A column of a Parquet file and what is nested in it; list and map groups are left out: a list has its element, a map key and value. */
export interface ShapeNode {
  readonly name: string;
  /** Null where the file gives it none. */
  readonly fieldId: number | null;
  readonly children: readonly ShapeNode[];
}

/** The columns of a file, in order. */
export type ParquetShape = readonly ShapeNode[];

export function hasFieldIds(shape: ParquetShape): boolean {
  return shape.some(({ fieldId, children }) => fieldId !== null || hasFieldIds(children));
}

/** Whether everything in it has an id, and no two things the same: only then does DuckDB read it by id. */
export function isReadById(shape: ParquetShape): boolean {
  const ids: (number | null)[] = [];
  const visit = ({ fieldId, children }: ShapeNode): void => {
    ids.push(fieldId);
    for (const child of children) visit(child);
  };
  for (const node of shape) visit(node);
  return !ids.includes(null) && new Set(ids).size === ids.length;
}

/** The shapes of local files, by path. Each file is looked into once while it stays in the cache: it never changes. */
export async function parquetShapes(tables: Tables, paths: readonly string[]): Promise<ReadonlyMap<string, ParquetShape>> {
  const cache = tables.shapes;
  const found = new Map<string, ParquetShape>();
  const unknown: string[] = [];
  for (const path of new Set(paths)) {
    const known = cache.get(path);
    if (known === undefined) unknown.push(path);
    else found.set(path, known);
  }
  if (unknown.length === 0) return found;
  for (const [path, rows] of await lookInto(tables, unknown)) {
    const shape = shapeOf(rows);
    cache.set(path, shape, 64 * rows.length);
    found.set(path, shape);
  }
  return found;
}

/** How many files one statement looks into. */
const filesAtOnce = 64;

interface SchemaRow {
  readonly name: string;
  readonly children: number;
  readonly fieldId: number | null;
  readonly converted: string | null;
}

/** On the guarded instance: whoever asks may hold one of the trusted one's connections, and would wait for another. */
async function lookInto(tables: Tables, paths: readonly string[]): Promise<ReadonlyMap<string, readonly SchemaRow[]>> {
  return await tables.duckdb.guarded.use(async (connection) => {
    const rows = new Map<string, SchemaRow[]>(paths.map((path) => [path, []]));
    for (let at = 0; at < paths.length; at += filesAtOnce) {
      const some = paths
        .slice(at, at + filesAtOnce)
        .map(quoteText)
        .join(', ');
      const reader = await connection.runAndReadAll(
        `SELECT file_name, name, coalesce(num_children, 0), field_id, coalesce(converted_type, logical_type) FROM parquet_schema([${some}])`,
      );
      for (const [path, name, children, fieldId, converted] of reader.getRows()) {
        rows.get(String(path))?.push({
          name: String(name),
          children: Number(children),
          fieldId: fieldId === null ? null : Number(fieldId),
          converted: converted === null ? null : String(converted),
        });
      }
    }
    return rows;
  });
}

/** The rows come in depth-first order, the root first (Parquet: `SchemaElement`). */
function shapeOf(rows: readonly SchemaRow[]): ParquetShape {
  let at = 0;
  const next = (): ShapeNode => {
    const row = rows[at++];
    if (row === undefined) return { name: '', fieldId: null, children: [] };
    const children = Array.from({ length: row.children }, next);
    return { name: row.name, fieldId: row.fieldId, children: withoutGroup(row, children) };
  };
  return next().children;
}

/** The repeated group that lists and maps have between them and their elements (Parquet: "Nested Types"). */
function withoutGroup({ name, converted }: SchemaRow, children: readonly ShapeNode[]): readonly ShapeNode[] {
  const [repeated] = children;
  if (repeated === undefined || children.length !== 1) return children;
  if (/^MAP/i.test(converted ?? '')) return repeated.children;
  if (!/^LIST/i.test(converted ?? '')) return children;
  // Lists of old had two levels: then the repeated field is the element itself.
  const isElement = repeated.children.length !== 1 || repeated.name === 'array' || repeated.name === `${name}_tuple`;
  return isElement ? children : repeated.children;
}
