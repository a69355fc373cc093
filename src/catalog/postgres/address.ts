import type { ClientConfig } from 'pg';
import { IcecoreError } from '../../errors.ts';

/** Where a Postgres catalog is. */
export interface PostgresAddress {
  /** `host:port/database`, as messages name it: without user and password. */
  readonly printed: string;
  readonly config: ClientConfig;
}

/** As libpq means them. `allow` and `prefer` would take an unencrypted connection without a word, so they are not among them. */
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * Of `postgres://user:password@host:port/database?sslmode=…`. What it leaves out comes from PGUSER, PGPASSWORD, PGHOST, PGPORT and
 * PGDATABASE, the password also from `~/.pgpass`. Throws BAD_USER_INPUT, without a word of what it holds: it may be the password.
 */
export function parsePostgresAddress(uri: string): PostgresAddress {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  if (url === null || !decodes(url)) throw refused('is not a URL; encode special characters of the password, such as @ as %40');
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== null && !sslModes.includes(sslMode)) throw refused(`needs an sslmode of ${sslModes.join(', ')}`);
  if (sslMode === 'verify-ca' && !url.searchParams.has('sslrootcert'))
    throw refused('needs an sslrootcert with sslmode=verify-ca');
  if (sslMode !== null) url.searchParams.set('uselibpqcompat', 'true');
  const host = url.searchParams.get('host') ?? (url.hostname || (process.env.PGHOST ?? 'localhost'));
  const port = url.searchParams.get('port') ?? (url.port || (process.env.PGPORT ?? '5432'));
  const database = decodeURIComponent(url.pathname.slice(1)) || (process.env.PGDATABASE ?? 'of the user');
  return { printed: `${host}:${port}/${database}`, config: { connectionString: url.href } };
}

function decodes(url: URL): boolean {
  try {
    for (const part of [url.username, url.password, url.pathname, url.hostname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

function refused(why: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `The address of the Postgres catalog ${why}: write postgres://user:password@host:port/database?sslmode=verify-full.`,
    { context: { catalog: 'postgres' } },
  );
}
