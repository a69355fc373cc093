/** An identifier as DuckDB and Trino read it: in double quotes, those inside doubled. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal: in single quotes, those inside doubled. Backslashes mean nothing in it. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
