import { IcecoreError } from '../../errors.ts';

/** How Icecore shows a foreign catalog who it is. */
export type ForeignIdentity =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  /** OAuth2 client credentials (RFC 6749, section 4.4). */
  | { readonly kind: 'client'; readonly id: string; readonly secret: string };

/** What `rest:URL` says. */
export interface ForeignAddress {
  /** Without a slash at its end; `/v1/config` follows it. */
  readonly base: string;
  readonly identity: ForeignIdentity;
  /** Which of the catalog's warehouses; its own choice where null. */
  readonly warehouse: string | null;
  /** Of the tokens that are asked for. */
  readonly scope: string;
  /** Where tokens come from; the catalog's own `/v1/oauth/tokens` where null. */
  readonly tokenUrl: string | null;
}

/**
 * Reads `https://ID:SECRET@host/path?warehouse=main`: `:TOKEN@` is a token to be sent as it is, `ID:SECRET@` a client that gets its tokens by
 * OAuth2, from `oauth2-server-uri` where it is given, for `scope` (`catalog` where it is not). Throws BAD_USER_INPUT; no message holds the address.
 */
export function parseForeignAddress(text: string): ForeignAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.hash !== '') {
    throw refused('what follows rest: is no https:// or http:// address');
  }
  const tokenUrl = url.searchParams.get('oauth2-server-uri');
  if (tokenUrl !== null && !(URL.canParse(tokenUrl) && /^https?:$/.test(new URL(tokenUrl).protocol))) {
    throw refused('its oauth2-server-uri is no https:// or http:// address');
  }
  const known = ['warehouse', 'scope', 'oauth2-server-uri'];
  const unknown = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw refused(`it takes ${known.join(', ')} behind the question mark, and nothing else`);
  return {
    base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`,
    identity: identityOf(url),
    warehouse: url.searchParams.get('warehouse'),
    scope: url.searchParams.get('scope') ?? 'catalog',
    tokenUrl,
  };
}

function identityOf(url: URL): ForeignIdentity {
  const [id, secret] = [url.username, url.password].map(decode);
  if (id === undefined || secret === undefined || (id === '' && secret === '')) return { kind: 'none' };
  if (secret === '') throw refused('a name without a secret: write rest:https://ID:SECRET@host, or rest:https://:TOKEN@host');
  return id === '' ? { kind: 'token', token: secret } : { kind: 'client', id, secret };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused('its name or secret holds a % that begins no escape');
  }
}

function refused(reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The catalog cannot be reached by its address: ${reason}.`, {
    context: { catalog: 'rest' },
  });
}
