import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';
import { namePartLengthMax, namespaceDepthMax } from '../limits.ts';
import { plainName } from './refusal.ts';

/** Gives a new namespace's parts back. Throws BAD_USER_INPUT where clients could not name it again, FORBIDDEN for Icecore's own. */
export function newNamespace(parts: readonly string[]): readonly string[] {
  if (parts.length === 0 || parts.length > namespaceDepthMax) {
    throw new IcecoreError('BAD_USER_INPUT', `A namespace has 1 to ${namespaceDepthMax} parts, not ${parts.length}.`);
  }
  for (const part of parts) checkPart(part, `the namespace ${JSON.stringify(parts.join('.'))}`);
  return writableNamespace(parts);
}

/** The same for the name of a table or a view. */
export function newIdentifier(identifier: TableIdentifier): TableIdentifier {
  newNamespace(identifier.namespace);
  checkPart(identifier.name, JSON.stringify(plainName(identifier)));
  return identifier;
}

/** Throws FORBIDDEN for what only Icecore writes. */
export function writableNamespace(parts: readonly string[]): readonly string[] {
  if (parts[0] !== ledgerNamespace) return parts;
  throw new IcecoreError(
    'FORBIDDEN',
    `The namespace ${parts.join('.')} is Icecore's own, and only Icecore writes in it: use another.`,
    { context: { namespace: parts.join('.') } },
  );
}

export function writable(identifier: TableIdentifier): TableIdentifier {
  writableNamespace(identifier.namespace);
  return identifier;
}

function checkPart(part: string, where: string): void {
  const refuse = (why: string) => new IcecoreError('BAD_USER_INPUT', `Invalid name: ${where} ${why}.`);
  if (part.trim() === '') throw refuse('has an empty part');
  if (part.length > namePartLengthMax) throw refuse(`has a part of more than ${namePartLengthMax} characters`);
  // In a path these two would be resolved before they arrive.
  if (part === '.' || part === '..') throw refuse(`has the part ${part}`);
  if (/[\p{Cc}\p{Cs}]/u.test(part)) throw refuse('has a control character, or half of a surrogate pair');
}
