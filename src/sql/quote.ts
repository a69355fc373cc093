/** An identifier as DuckDB and Trino read it: in double quotes, those inside doubled. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal: in single quotes, those inside doubled. Backslashes mean nothing in it. */
export function quoteText(text: string): string {
  // The parser stops at a zero byte, so that one comes from a function.
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' || chr(0) || ')})`;
}
