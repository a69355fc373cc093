/** What became of reading a table: equal row for row, or the engine's own words why not. */
export type Reading = 'equal' | { readonly refused: string } | { readonly differs: string } | 'not tried';

export interface MatrixRow {
  readonly feature: string;
  /** By engine, in the columns' order. */
  readonly readings: readonly Reading[];
}

/** Features by engine in Markdown, with a list of what engines refuse below it: the same for the same outcomes. */
export function featureMatrix(engines: readonly string[], rows: readonly MatrixRow[]): string {
  const notes: string[] = [];
  const cell = (reading: Reading): string => {
    if (reading === 'equal') return 'equal';
    if (reading === 'not tried') return '–';
    const note = 'refused' in reading ? reading.refused : reading.differs;
    if (!notes.includes(note)) notes.push(note);
    return `${'refused' in reading ? 'refused' : 'differs'} (${notes.indexOf(note) + 1})`;
  };
  const lines = rows.map(({ feature, readings }) => `| ${[feature, ...readings.map(cell)].join(' | ')} |`);
  const head = [`| feature | ${engines.join(' | ')} |`, `|---|${engines.map(() => '---|').join('')}`];
  const below = notes.map((note, at) => `${at + 1}. ${note}`);
  return [...head, ...lines, ...(below.length === 0 ? [] : ['', ...below])].join('\n');
}
