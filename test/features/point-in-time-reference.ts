/**
 * The point-in-time rule, row by row, written from the text of semantics.md section 1 and from nothing else: slow, plain, and
 * the judge of the real one. Times are nanoseconds since the epoch.
 */
export type Cell = null | bigint | number | string;

export interface ReferenceRow {
  readonly keys: readonly Cell[];
  readonly event: bigint | null;
  readonly known: bigint | null;
  readonly sequence: bigint | null;
  readonly values: readonly Cell[];
}

export interface ReferenceSpineRow {
  readonly keys: readonly Cell[];
  readonly ts: bigint | null;
}

export interface ReferenceOptions {
  readonly boundary: 'INCLUSIVE' | 'EXCLUSIVE';
  readonly knowledge: 'IGNORE' | 'KNOWN_AT_EVENT';
  readonly onTie: 'ERROR' | 'LAST_BY_SEQUENCE';
  readonly nulls: 'KEEP' | 'LAST_NON_NULL';
  readonly timeToLive: bigint | null;
}

export class ReferenceTie extends Error {}

export interface ReferenceAnswer {
  readonly values: readonly Cell[];
  readonly status: string;
}

/** The features of one spine row. Throws `ReferenceTie`. */
export function referenceLookup(
  spine: ReferenceSpineRow,
  table: readonly ReferenceRow[],
  options: ReferenceOptions,
): ReferenceAnswer {
  const width = table[0]?.values.length ?? 0;
  const nothing: Cell[] = Array.from({ length: width }, () => null);
  const ts = spine.ts;
  if (ts === null || spine.keys.some((key) => key === null)) return { values: nothing, status: 'NO_ENTITY' };

  const ofEntity = table.filter((row) => row.event !== null && row.keys.every((key, i) => key !== null && key === spine.keys[i]));
  const notAfter = (row: ReferenceRow) => {
    if (row.event === null) return false;
    return options.boundary === 'INCLUSIVE' ? row.event <= ts : row.event < ts;
  };
  const notExpired = (row: ReferenceRow) => {
    if (row.event === null) return false;
    return options.timeToLive === null || row.event >= ts - options.timeToLive;
  };
  const isKnown = (row: ReferenceRow) => options.knowledge === 'IGNORE' || (row.known !== null && row.known <= ts);

  const window = ofEntity.filter((row) => notAfter(row) && notExpired(row));
  const candidates = window.filter(isKnown);

  let values: readonly Cell[] = nothing;
  if (options.nulls === 'KEEP') {
    values = winner(candidates, options)?.values ?? nothing;
  } else {
    values = nothing.map((_, feature) => {
      const withValue = candidates
        .filter((row) => row.values[feature] !== null)
        .map((row) => ({ ...row, values: [row.values[feature] ?? null] }));
      return winner(withValue, options)?.values[0] ?? null;
    });
  }

  if (values.some((value) => value !== null)) return { values, status: 'MATCHED' };
  if (candidates.length > 0) return { values, status: 'NULL_VALUE' };
  if (window.length > 0) return { values, status: 'NOT_YET_KNOWN' };
  if (ofEntity.some((row) => notAfter(row) && !notExpired(row))) return { values, status: 'EXPIRED' };
  if (ofEntity.some((row) => !notAfter(row))) return { values, status: 'FUTURE_ONLY' };
  return { values, status: 'NO_ENTITY' };
}

function winner(candidates: readonly ReferenceRow[], options: ReferenceOptions): ReferenceRow | undefined {
  let best: ReferenceRow[] = [];
  for (const row of candidates) {
    const [first] = best;
    if (first === undefined) {
      best = [row];
      continue;
    }
    const order = compare(row.event, first.event) || compare(row.known, first.known);
    if (order > 0) best = [row];
    if (order === 0) best.push(row);
  }
  if (allEqual(best)) return best[0];
  if (options.onTie === 'ERROR') throw new ReferenceTie();
  let last: ReferenceRow[] = [];
  for (const row of best) {
    const order = last[0] === undefined ? 1 : compare(row.sequence, last[0].sequence);
    if (order > 0) last = [row];
    else if (order === 0) last.push(row);
  }
  if (!allEqual(last)) throw new ReferenceTie();
  return last[0];
}

/** Nulls lowest. */
function compare(a: bigint | null, b: bigint | null): number {
  if (a === null) return b === null ? 0 : -1;
  if (b === null) return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function allEqual(rows: readonly ReferenceRow[]): boolean {
  return rows.every((row) => row.values.every((value, i) => Object.is(value, rows[0]?.values[i])));
}
