export const wideColumns = Array.from({ length: 32 }, (_, index) => `c${index}`);
/** Of one row in Arrow. */
export const wideRowBytes = wideColumns.length * 8;

type Ask = (query: string, variables: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** A table of 32 longs and as many files as asked for; row n holds n times 32 and what follows. */
export async function makeWideTable(ask: Ask, name: string, files: number, rowsPerFile: number): Promise<void> {
  const input = { name, columns: wideColumns.map((column) => ({ name: column, type: 'long' })) };
  await ask('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { id } } }', { input });
  for (let file = 0; file < files; file++) {
    const cells = wideColumns.map((column, index) => `range * ${wideColumns.length} + ${index} AS ${column}`);
    const sql = `SELECT ${cells.join(', ')} FROM range(${file * rowsPerFile}, ${(file + 1) * rowsPerFile})`;
    const write = { table: name, mode: 'APPEND', rows: { sql } };
    await ask('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', { input: write });
  }
}

export const trainingBatches = `subscription ($input: TrainingFeedInput!) {
  trainingBatches(input: $input) { ipc rowCount epoch globalBatch rowsTotal cursor last }
}`;

/** The rows as they stand, in batches of about 2 MB. */
export function inOrder(name: string, columns = wideColumns): { readonly input: object } {
  return { input: { source: { table: { name } }, shuffle: 'NONE', batchSize: 8192, columns } };
}
