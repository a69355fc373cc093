import { resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { ForeignCatalog } from './foreign-catalog.ts';
import { PostgresCatalog } from './postgres-catalog.ts';
import { SqliteCatalog } from './sqlite-catalog.ts';

/**
 * Opens what `--catalog` names: `sqlite:FILE`, `postgres://user:password@host:port/database`, or another server's by `rest:https://ID:SECRET@host/path`.
 * Throws FAILED_PRECONDITION for what cannot be used, OVERLOADED for what does not answer, and BAD_USER_INPUT for anything else. Messages never hold the address, since it carries a password.
 */
export async function openCatalog(uri: string, clock: Clock): Promise<Catalog> {
  const colon = uri.indexOf(':');
  const kind = colon < 0 ? '' : uri.slice(0, colon);
  const rest = uri.slice(colon + 1);
  if (kind === 'sqlite' && rest !== '') return await SqliteCatalog.open(resolve(rest.replace(/^\/\/(?=\/)/, '')), clock);
  if (kind === 'postgres' || kind === 'postgresql') return await PostgresCatalog.open(uri, clock);
  if (kind === 'rest') return await ForeignCatalog.open(rest, clock);
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The catalog ${/^[a-z0-9+.-]+$/i.test(kind) ? `of kind '${kind}'` : 'given'} is unknown: write sqlite:FILE, postgres://… or rest:https://….`,
    { context: { catalog: kind } },
  );
}
