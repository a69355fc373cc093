import type { Access } from '../access/access.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, printNamespace, type TableIdentifier } from '../iceberg/identifier.ts';
import type { Tables } from './tables.ts';

/**
 * Throws where the caller at hand may not write a table: FORBIDDEN, naming the grant that is missing, where it may be read; NOT_FOUND, as for
 * a table that does not exist, where it may not. `action` completes "may not …": `write rows to`.
 */
export async function requireWrite(tables: Tables, identifier: TableIdentifier, action: string): Promise<void> {
  if (tables.access.mayWrite(identifier)) return;
  if (!tables.access.mayRead(identifier)) await tables.load(identifier);
  throw refusal(tables.access, action, printIdentifier(identifier));
}

/** The same for a name that a table or view is to be given: FORBIDDEN alike, whether or not there is something of that name. */
export function requireCreate(access: Access, identifier: TableIdentifier, action: string): void {
  if (access.mayWrite(identifier)) return;
  throw refusal(access, action, printIdentifier(identifier));
}

/** The same for a namespace itself, its properties and its end: that takes a grant on the namespace, not on a table in it. */
export function requireNamespaceWrite(access: Access, parts: readonly string[], action: string): void {
  if (access.mayWriteNamespace(parts)) return;
  throw refusal(access, action, printNamespace(parts));
}

function refusal(access: Access, action: string, name: string): IcecoreError {
  const who = access.permissions.subject ?? 'This caller';
  return new IcecoreError(
    'FORBIDDEN',
    `${who} may not ${action} ${name}: that takes a grant to write on it or on a namespace that holds it. The server's operator gives it, in ICECORE_GRANTS.`,
    { context: { on: name, requiredGrant: 'write' } },
  );
}
