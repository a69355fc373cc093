import { parseIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';

/** The namespace that only Icecore writes (semantics, section 7). */
export const ledgerNamespace = 'icecore';

/** Where a ledger table such as `icecore.runs` is in the catalog. */
export function identifierOf(name: string): TableIdentifier {
  return parseIdentifier(name);
}
