import type { ParsedSelect } from '../sql/select.ts';
import { isNode, type SyntaxNode, type SyntaxValue } from '../sql/syntax-tree.ts';

/** A column of a SELECT that is made from a column of one of its tables. */
export interface ColumnOrigin {
  /** Which of the SELECT's references the table is. */
  readonly reference: number;
  readonly from: string;
  readonly to: string;
  /** Whether it went over as it was, or something was computed from it. */
  readonly isPlain: boolean;
}

type Origin = Omit<ColumnOrigin, 'to'>;
/** The columns of something after FROM, by name, and what they come from; null where that cannot be told. */
type Source = ReadonlyMap<string, readonly Origin[]> | null;

/**
 * Which columns a SELECT's own come from: through expressions, CTEs and subqueries after FROM. What cannot be told from the text and
 * the tables' columns (set operations, subqueries in expressions) is left out: lineage is recorded where it is known (semantics, section
 * 5). Conditions and groupings are not counted. `columns` has the column names of each reference's table.
 */
export function columnOrigins(select: ParsedSelect, columns: readonly (readonly string[])[]): readonly ColumnOrigin[] {
  const [statement] = Array.isArray(select.tree.statements) ? select.tree.statements : [];
  const node = isNode(statement) ? statement.node : null;
  const source = isNode(node) ? new Tracing(columns).query(node, new Map()) : null;
  return [...(source ?? [])].flatMap(([to, origins]) => origins.map((origin) => ({ ...origin, to })));
}

/** Follows columns through one statement. */
class Tracing {
  readonly #columns: readonly (readonly string[])[];

  constructor(columns: readonly (readonly string[])[]) {
    this.#columns = columns;
  }

  query(node: SyntaxNode, outer: ReadonlyMap<string, Source>): Source {
    if (node.type !== 'SELECT_NODE') return null;
    const commonTables = new Map(outer);
    for (const entry of nodes(isNode(node.cte_map) ? node.cte_map.map : [])) {
      const query = isNode(entry.value) && isNode(entry.value.query) ? entry.value.query.node : null;
      commonTables.set(String(entry.key), isNode(query) ? this.query(query, commonTables) : null);
    }
    const sources = this.#from(node.from_table, commonTables);
    const made = new Map<string, readonly Origin[]>();
    for (const item of nodes(node.select_list)) {
      const name = outputName(item);
      if (name === null) return null;
      const found = references(item).flatMap((parts) => originsOf(parts, sources, made));
      const distinct = [...new Map(found.map((origin) => [`${origin.reference} ${origin.from}`, origin])).values()];
      const isPlain = item.class === 'COLUMN_REF';
      made.set(name, isPlain ? distinct : distinct.map((origin) => ({ ...origin, isPlain: false })));
    }
    return made;
  }

  /** What stands after FROM, by the name under which the statement refers to it. */
  #from(table: SyntaxValue | undefined, commonTables: ReadonlyMap<string, Source>): ReadonlyMap<string, Source> {
    if (!isNode(table)) return new Map([['', null]]);
    const alias = String(table.alias ?? '').toLowerCase();
    switch (table.type) {
      case 'BASE_TABLE': {
        const name = String(table.table_name);
        const reference = /^icecore_reference_(\d+)$/.exec(name)?.[1];
        return new Map([
          [
            alias === '' ? name : alias,
            reference === undefined ? (commonTables.get(name) ?? null) : this.#table(Number(reference)),
          ],
        ]);
      }
      case 'SUBQUERY': {
        const node = isNode(table.subquery) ? table.subquery.node : null;
        return new Map([[alias, isNode(node) ? this.query(node, commonTables) : null]]);
      }
      case 'JOIN':
        return new Map([...this.#from(table.left, commonTables), ...this.#from(table.right, commonTables)]);
      default:
        return new Map([[alias, null]]);
    }
  }

  #table(reference: number): Source {
    return new Map((this.#columns[reference] ?? []).map((from) => [from, [{ reference, from, isPlain: true }]]));
  }
}

/** A name alone is a column of a table, or else one made earlier in the same list, as SQL has it. */
function originsOf(
  parts: readonly string[],
  sources: ReadonlyMap<string, Source>,
  made: ReadonlyMap<string, readonly Origin[]>,
): readonly Origin[] {
  const column = (parts.at(-1) ?? '').toLowerCase();
  const named = parts.length > 1 ? sources.get(parts.at(-2)?.toLowerCase() ?? '') : undefined;
  const candidates = parts.length > 1 && sources.size > 1 ? [named ?? null] : [...sources.values()];
  const found = candidates.flatMap((source) => [...(source ?? [])].filter(([name]) => name.toLowerCase() === column));
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only[1];
  return found.length === 0 && parts.length === 1 ? (made.get(parts[0] ?? '') ?? []) : [];
}

/** The column references in an expression, each as its parts; those in subqueries are others' columns. */
function references(value: SyntaxValue | undefined): readonly (readonly string[])[] {
  if (Array.isArray(value)) return value.flatMap((item) => references(item));
  if (!isNode(value) || value.class === 'SUBQUERY') return [];
  if (value.class === 'COLUMN_REF') return Array.isArray(value.column_names) ? [value.column_names.map(String)] : [];
  return Object.values(value).flatMap((member) => references(member));
}

/** The name of a column that an item of the list gives; null where it gives several, or one that only the engine names. */
function outputName(item: SyntaxNode): string | null {
  if (typeof item.alias === 'string' && item.alias !== '') return item.alias;
  return item.class === 'COLUMN_REF' && Array.isArray(item.column_names) ? String(item.column_names.at(-1)) : null;
}

function nodes(value: SyntaxValue | undefined): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter((item) => isNode(item)) : [];
}
