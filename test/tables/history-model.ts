/** A column that was added to a random history: its key stays, whatever its name and type become. */
export interface ModelColumn {
  readonly key: number;
  readonly name: string;
  readonly type: 'int' | 'long';
}

/** Besides `id`, `n`, `part` and `s.b`, which every table of the history has. */
export interface ModelSchema {
  readonly columns: readonly ModelColumn[];
  /** Fields of the struct `s`. */
  readonly fields: readonly ModelColumn[];
}

export interface ModelRow {
  readonly id: number;
  /** No two rows that were ever written have the same. */
  readonly n: number;
  readonly part: string | null;
  readonly cells: ReadonlyMap<number, number>;
  readonly struct: { readonly b: string; readonly cells: ReadonlyMap<number, number> } | null;
}

export interface ModelSnapshot {
  readonly parent: bigint | null;
  readonly schema: ModelSchema;
  readonly rows: readonly ModelRow[];
}

/** What a table should hold, kept as simply as can be: every snapshot's rows, whole. */
export class HistoryModel {
  schema: ModelSchema = { columns: [], fields: [] };
  readonly snapshots = new Map<bigint, ModelSnapshot>();
  readonly branches = new Map<string, bigint | null>([['main', null]]);
  readonly tags = new Map<string, bigint>();
  #next = 0;

  get keys(): number {
    return this.#next;
  }

  nextKey(): number {
    return this.#next++;
  }

  head(branch: string): readonly ModelRow[] {
    const id = this.branches.get(branch) ?? null;
    return id === null ? [] : (this.snapshots.get(id)?.rows ?? []);
  }

  commit(branch: string, snapshotId: bigint, rows: readonly ModelRow[]): void {
    this.snapshots.set(snapshotId, { parent: this.branches.get(branch) ?? null, schema: this.schema, rows });
    this.branches.set(branch, snapshotId);
  }

  /** What stays where each branch keeps so many snapshots and nothing is too young. */
  expire(keepLast: number): void {
    const kept = new Set(this.tags.values());
    for (const head of this.branches.values()) {
      let id = head;
      for (let count = 0; id !== null && count < keepLast; count++) {
        if (!this.snapshots.has(id)) break;
        kept.add(id);
        id = this.snapshots.get(id)?.parent ?? null;
      }
    }
    for (const id of this.snapshots.keys()) if (!kept.has(id)) this.snapshots.delete(id);
  }

  newRow(random: readonly number[], id: number): ModelRow {
    const at = (index: number): number => random[index % Math.max(1, random.length)] ?? 0;
    const cells = (columns: readonly ModelColumn[], salt: number) =>
      new Map(columns.flatMap(({ key }, index) => (at(index + salt) % 4 === 0 ? [] : [[key, at(index + salt)] as const])));
    return {
      id,
      n: this.nextKey(),
      part: at(1) % 5 === 0 ? null : `p${at(1) % 3}`,
      cells: cells(this.schema.columns, 2),
      struct: at(3) % 4 === 0 ? null : { b: `b${at(3) % 2}`, cells: cells(this.schema.fields, 5) },
    };
  }
}

/** The row as a table of this schema shows it, numbers as text. */
export function shownRow({ id, n, part, cells, struct }: ModelRow, { columns, fields }: ModelSchema): Record<string, unknown> {
  const shown = (of: ReadonlyMap<number, number>, list: readonly ModelColumn[]) =>
    Object.fromEntries(list.map(({ key, name }) => [name, of.has(key) ? String(of.get(key)) : null]));
  return {
    id: String(id),
    n: String(n),
    part,
    s: struct === null ? null : { b: struct.b, ...shown(struct.cells, fields) },
    ...shown(cells, columns),
  };
}

/** The row as it is written, in the contract's JSON forms. */
export function writtenRow({ id, n, part, cells, struct }: ModelRow, { columns, fields }: ModelSchema): Record<string, unknown> {
  const shown = (of: ReadonlyMap<number, number>, list: readonly ModelColumn[]) =>
    Object.fromEntries(list.map(({ key, name }) => [name, of.get(key) ?? null]));
  const s = struct === null ? null : { b: struct.b, ...shown(struct.cells, fields) };
  return { id, n, part, s, ...shown(cells, columns) };
}
