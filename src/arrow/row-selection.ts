/** Which rows of a column are wanted, in order: a run of them, or one by one, -1 for a null. */
export type RowSelection =
  | { readonly kind: 'run'; readonly from: number; readonly count: number }
  | { readonly kind: 'rows'; readonly rows: Int32Array; readonly count: number };

export function runOf(from: number, count: number): RowSelection {
  return { kind: 'run', from, count };
}

/** The row at a place of the selection, -1 for a null. */
export function rowAt(selection: RowSelection, index: number): number {
  return selection.kind === 'run' ? selection.from + index : (selection.rows[index] ?? -1);
}

/** The selection of other rows in the place of these; `map` gets no -1. */
export function mapRows(selection: RowSelection, map: (row: number) => number): RowSelection {
  const rows = new Int32Array(selection.count);
  for (let index = 0; index < selection.count; index++) {
    const row = rowAt(selection, index);
    rows[index] = row < 0 ? -1 : map(row);
  }
  return { kind: 'rows', rows, count: selection.count };
}
