import { hasRole } from '../../access/role.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import { ledgerNamespace } from '../../ledger/ledger-identifier.ts';
import { parseAccessDelegation } from '../../rest-catalog/access-delegation.ts';
import type { CredentialHolder, TablePlaces } from '../../rest-catalog/table-access.ts';
import { noAccess } from '../../rest-catalog/table-access.ts';
import type { LoadExtras } from './load-answers.ts';
import { namespaceSeparator } from './path-names.ts';
import type { IcebergRequest } from './route.ts';

/**
 * How the client may reach a table's files, by what it asks for in `X-Iceberg-Access-Delegation`; nothing where it asks for nothing. `ticket`
 * goes with a table that is staged.
 */
export async function extrasOf(
  request: IcebergRequest,
  identifier: TableIdentifier,
  places: () => Promise<TablePlaces>,
  ticket?: (places: TablePlaces) => string,
): Promise<LoadExtras> {
  const { tableAccesses } = request.icecore;
  const delegation = parseAccessDelegation(request.headers['x-iceberg-access-delegation']);
  if (delegation.size === 0 || !tableAccesses.isServed) return noAccess;
  const table = await places();
  const signPath = signPathOf(identifier) + (ticket === undefined ? '' : `?staged=${ticket(table)}`);
  return tableAccesses.of(table, { ...holderOf(request, identifier), delegation, signPath });
}

/** Who asks, and what they may do with the table that they may read. */
export function holderOf({ icecore, caller }: IcebergRequest, identifier: TableIdentifier): CredentialHolder {
  const mayWrite = hasRole(caller, 'scientist') && icecore.access.mayWrite(identifier) && !isOwn(identifier);
  return { subject: caller.actor.id, access: mayWrite ? 'write' : 'read' };
}

function signPathOf({ namespace, name }: TableIdentifier): string {
  return `v1/namespaces/${encodeURIComponent(namespace.join(namespaceSeparator))}/tables/${encodeURIComponent(name)}/sign`;
}

function isOwn({ namespace }: TableIdentifier): boolean {
  return namespace[0] === ledgerNamespace;
}
