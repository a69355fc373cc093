import { IcecoreError } from '../errors.ts';
import { parseIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';

/** The identifier of a table that callers may change. Throws BAD_USER_INPUT, and FORBIDDEN for Icecore's own. */
export function userTable(name: string): TableIdentifier {
  const identifier = parseIdentifier(name);
  if (identifier.namespace[0] !== ledgerNamespace) return identifier;
  throw new IcecoreError(
    'FORBIDDEN',
    `${name} is one of Icecore's own tables, which only Icecore writes. Use another namespace.`,
    {
      context: { table: name },
    },
  );
}
