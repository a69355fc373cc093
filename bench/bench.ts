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
}

export type BenchUnit = 's' | 'ms' | '/s' | 'rows/s' | 'MiB';

const smallerIsBetter: ReadonlySet<BenchUnit> = new Set<BenchUnit>(['s', 'ms', 'MiB']);

/** A row with its ratio. */
export function benchRow(measured: Omit<BenchRow, 'ratio'>): BenchRow {
  const { ours, peerValue, unit } = measured;
  return { ...measured, ratio: smallerIsBetter.has(unit) ? peerValue / ours : ours / peerValue };
}

/** The rows as a table for a terminal. */
export function benchTable(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ work, ours, unit, peer, peerValue, ratio }) => [
    work,
    `${rounded(ours)} ${unit}`,
    peer,
    `${rounded(peerValue)} ${unit}`,
    `${ratio.toFixed(2)}x`,
  ]);
  const lines = [['work', 'ours', 'peer', 'its value', 'ratio'], ...cells];
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
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
