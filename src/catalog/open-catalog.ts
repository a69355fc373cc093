import { resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { SqliteCatalog } from './sqlite-catalog.ts';

/**
 * Opens what `--catalog` names: `sqlite:FILE`. Throws FAILED_PRECONDITION for what is not built yet, and
 * BAD_USER_INPUT for anything else. Messages name the kind alone, since such addresses carry passwords.
 */
export async function openCatalog(uri: string, clock: Clock): Promise<Catalog> {
  const colon = uri.indexOf(':');
  const kind = colon < 0 ? '' : uri.slice(0, colon);
  const rest = uri.slice(colon + 1);
  if (kind === 'sqlite' && rest !== '') return await SqliteCatalog.open(resolve(rest.replace(/^\/\/(?=\/)/, '')), clock);
  if (kind === 'postgres' || kind === 'postgresql' || kind === 'rest') {
    throw new IcecoreError('FAILED_PRECONDITION', `A ${kind}: catalog is not built yet: use sqlite:FILE.`, {
      context: { catalog: kind },
    });
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The catalog ${/^[a-z0-9+.-]+$/i.test(kind) ? `of kind '${kind}'` : 'given'} is unknown: write sqlite:FILE.`,
    { context: { catalog: kind } },
  );
}
