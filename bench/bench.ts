/** One measure beside a peer's on the same work in the same run. */
export interface BenchRow {
  readonly work: string;
  /** In `unit`. */
  readonly ours: number;
  readonly unit: BenchUnit;
  readonly peer: string;
  readonly peerValue: number;
  /** Above 1 means that ours is better. */
  readonly ratio: number;
  /** What the ratio must be at least (design.md). */
  readonly goal?: number;
}

/** What a bench found: its comparisons, and where they come from. */
export interface BenchReport {
  readonly rows: readonly BenchRow[];
  /** All that was measured, a record each, cells by column. */
  readonly figures?: readonly Readonly<Record<string, string>>[];
  /** What has to be known beside them. */
  readonly notes?: readonly string[];
}

export type BenchUnit = 's' | 'ms' | '/s' | 'rows/s' | 'MB/s' | 'MiB';

const smallerIsBetter: ReadonlySet<BenchUnit> = new Set<BenchUnit>(['s', 'ms', 'MiB']);

/** A row with its ratio. */
export function benchRow(measured: Omit<BenchRow, 'ratio'>): BenchRow {
  const { ours, peerValue, unit } = measured;
  return { ...measured, ratio: smallerIsBetter.has(unit) ? peerValue / ours : ours / peerValue };
}

/** The report as tables for a terminal. */
export function benchText({ rows, figures = [], notes = [] }: BenchReport): string {
  const withGoals = rows.some(({ goal }) => goal !== undefined);
  const comparisons = rows.map(({ work, ours, unit, peer, peerValue, ratio, goal }) => ({
    work,
    ours: `${rounded(ours)} ${unit}`,
    peer,
    'its value': `${rounded(peerValue)} ${unit}`,
    ratio: `${ratio.toFixed(2)}x`,
    ...(withGoals ? { goal: goal === undefined ? '' : `${goal}x` } : {}),
  }));
  return [figures, comparisons]
    .filter((records) => records.length > 0)
    .map(table)
    .concat(notes.length > 0 ? [notes.join('\n')] : [])
    .join('\n\n');
}

function table(records: readonly Readonly<Record<string, string>>[]): string {
  const names = Object.keys(records[0] ?? {});
  const lines = [names, ...records.map((record) => names.map((name) => record[name] ?? ''))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function rounded(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}
