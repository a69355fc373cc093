/** A row as a driver gives it: text as strings, integers as bigints. */
export type Row = Readonly<Record<string, unknown>>;

/** A column that is text and not null. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`catalog column ${column} holds ${typeof value}, not text`);
  return value;
}

/** A column that is bigint and not null. */
export function integer(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== 'bigint') throw new TypeError(`catalog column ${column} holds ${typeof value}, not an integer`);
  return value;
}

/** A text column that holds a JSON list of texts. */
export function texts(row: Row, column: string): readonly string[] {
  const list: unknown = JSON.parse(text(row, column));
  if (!Array.isArray(list)) throw new TypeError(`catalog column ${column} holds no JSON list`);
  return list.map(String);
}
