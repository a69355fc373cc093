/** Where the rows of a batch lie, in their order. */
export interface RowAddresses {
  /** Of each row, the place of its group among those given. */
  readonly groups: Uint32Array;
  /** Of each row, its index among the matching rows of its group. */
  readonly indices: Uint32Array;
}

export function rowAddresses(rowCount: number): RowAddresses {
  return { groups: new Uint32Array(rowCount), indices: new Uint32Array(rowCount) };
}
