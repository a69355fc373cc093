import { IcecoreError } from '../errors.ts';

/** A table's place in the catalog. Printed as `ns.table`; a part that holds a dot or a quote is in double quotes. */
export interface TableIdentifier {
  readonly namespace: readonly string[];
  readonly name: string;
}

/** `ns.table`, with parts in double quotes where they hold a dot or a quote or nothing; a quote inside is doubled. */
export function printIdentifier(identifier: TableIdentifier): string {
  return [...identifier.namespace, identifier.name].map(printPart).join('.');
}

/** The namespace as `printIdentifier` would begin: without the dot that follows. Empty for the root. */
export function printNamespace(namespace: readonly string[]): string {
  return namespace.map(printPart).join('.');
}

/** The inverse of `printIdentifier`. Throws BAD_USER_INPUT where the text has no namespace, an empty part or an open quote. */
export function parseIdentifier(text: string): TableIdentifier {
  const parts: string[] = [];
  const part = /"((?:[^"]|"")*)"|([^."]+)/y;
  for (;;) {
    const match = part.exec(text);
    if (match === null) throw malformed(text);
    parts.push(match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'));
    if (part.lastIndex === text.length) break;
    if (text[part.lastIndex] !== '.') throw malformed(text);
    part.lastIndex += 1;
  }
  const name = parts.pop();
  if (name === undefined || parts.length === 0) throw malformed(text);
  return { namespace: parts, name };
}

function printPart(part: string): string {
  return part === '' || /[."]/.test(part) ? `"${part.replaceAll('"', '""')}"` : part;
}

function malformed(text: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `'${text}' does not name a table: write namespace.table, and put a part that holds a dot or a quote in double quotes.`,
    { context: { table: text } },
  );
}

/** Longer parts do not fit the names of folders, which locations are made of. */
const partLengthMax = 128;

/**
 * Gives the identifier back if a table may be created under it. Throws BAD_USER_INPUT where it has no namespace, or a part that
 * is empty, too long, `.` or `..`, or holds a slash, a backslash or a control character: parts become folders.
 */
export function checkIdentifier(identifier: TableIdentifier): TableIdentifier {
  const refuse = (reason: string) =>
    new IcecoreError('BAD_USER_INPUT', `${JSON.stringify(printIdentifier(identifier))} cannot name a table: ${reason}.`);
  if (identifier.namespace.length === 0) throw refuse('write namespace.table');
  for (const part of [...identifier.namespace, identifier.name]) {
    if (part.trim() === '') throw refuse('a part is empty');
    if (part.length > partLengthMax) throw refuse(`a part has more than ${partLengthMax} characters`);
    if (part === '.' || part === '..') throw refuse(`a part is ${part}`);
    if (/[/\\\p{Cc}\p{Cs}]/u.test(part)) throw refuse('a part holds a slash, a backslash or a control character');
  }
  return identifier;
}
