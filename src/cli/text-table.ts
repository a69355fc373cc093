import { bold, type Console, dim } from './console.ts';
import { cutText, textWidth } from './text-width.ts';

export interface TextColumn {
  readonly name: string;
  /** Numbers are at the right, and cut only where not even one column fits. */
  readonly isNumeric: boolean;
}

export interface TextCell {
  /** Printable. */
  readonly text: string;
  /** Such as a null. */
  readonly isDim?: boolean;
}

const gap = '  ';
/** A column of text is not made narrower than this: less of it says nothing. */
const textColumnsMin = 8;

/**
 * Rows below each other under their columns' names, each line ended. Where the terminal is too narrow, texts are cut, the longest first;
 * where that is not enough, the last columns are left out and named at the end.
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly TextCell[])[],
  console: Pick<Console, 'width' | 'isStyled'>,
): string {
  const measured = columns.map((column, index) => measure(column, index, rows, console.width));
  const shown = console.width === null ? measured : fitting(measured, console.width);
  const line = (cells: readonly TextCell[], style: (text: string, cell: TextCell) => string): string =>
    shown
      .map(({ width, isNumeric }, index) => {
        const cell = cells[index] ?? { text: '' };
        const text = cutText(cell.text, width);
        const padding = ' '.repeat(Math.max(0, width - textWidth(text)));
        if (isNumeric) return padding + style(text, cell);
        return index === shown.length - 1 ? style(text, cell) : style(text, cell) + padding;
      })
      .join(gap)
      .trimEnd();
  const names = shown.map(({ name }) => ({ text: name }));
  const rules = shown.map(({ width }) => ({ text: '─'.repeat(width) }));
  const lines = [
    line(names, (text) => bold(text, console)),
    line(rules, (text) => dim(text, console)),
    ...rows.map((row) => line(row, (text, { isDim }) => (isDim ? dim(text, console) : text))),
  ];
  const left = columns.slice(shown.length).map(({ name }) => name);
  if (left.length > 0) {
    const words = `${left.length} more ${left.length === 1 ? 'column' : 'columns'} that did not fit: ${left.join(', ')}`;
    lines.push(dim(words, console));
  }
  return lines.map((text) => `${text}\n`).join('');
}

interface MeasuredColumn extends TextColumn {
  readonly width: number;
  readonly widthMin: number;
}

function measure(
  { name, isNumeric }: TextColumn,
  index: number,
  rows: readonly (readonly TextCell[])[],
  max: number | null,
): MeasuredColumn {
  const widest = max ?? Number.POSITIVE_INFINITY;
  let cells = 0;
  for (const row of rows) cells = Math.max(cells, textWidth(row[index]?.text ?? '', widest));
  const width = Math.max(cells, textWidth(name, widest));
  return { name, isNumeric, width, widthMin: isNumeric ? Math.max(cells, 1) : Math.min(width, textColumnsMin) };
}

/** The first columns, as many as fit, with the widths they get. */
function fitting(columns: readonly MeasuredColumn[], width: number): readonly MeasuredColumn[] {
  let shown = columns;
  while (shown.length > 1 && total(shown, (column) => column.widthMin) > width) shown = shown.slice(0, -1);
  const [only] = shown;
  if (only !== undefined && shown.length === 1) return [{ ...only, width: Math.min(only.width, width) }];
  // The greatest width that no column needs to pass: found by halving, since a cell can be very long.
  let low = 0;
  let high = Math.max(...shown.map((column) => column.width), 0);
  const limited = ({ width, widthMin }: MeasuredColumn, limit: number): number => Math.max(widthMin, Math.min(width, limit));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (total(shown, (column) => limited(column, middle)) <= width) low = middle;
    else high = middle - 1;
  }
  return shown.map((column) => ({ ...column, width: limited(column, low) }));
}

function total(columns: readonly MeasuredColumn[], widthOf: (column: MeasuredColumn) => number): number {
  return columns.reduce((sum, column) => sum + widthOf(column), 0) + gap.length * Math.max(0, columns.length - 1);
}
