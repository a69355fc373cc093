import { IcecoreError } from '../errors.ts';
import type { ModelEndpoint } from '../models/model.ts';

/** The origins that the server may send feature rows to: configuration, never a caller's choice. */
export class AllowedOrigins {
  readonly #origins: ReadonlySet<string>;

  /** Throws BAD_USER_INPUT where a text is no http or https origin. */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins.map((text) => originOf(text)));
  }

  /** Throws FORBIDDEN where the endpoint's origin is not allowed, BAD_USER_INPUT where its address is none. */
  check(endpoint: Pick<ModelEndpoint, 'url'>): void {
    const origin = originOf(endpoint.url);
    if (this.#origins.has(origin)) return;
    throw new IcecoreError(
      'FORBIDDEN',
      `This server may not call ${origin}. Whoever runs it allows origins with ICECORE_ALLOWED_MODEL_ORIGINS.`,
      { context: { origin } },
    );
  }
}

function originOf(text: string): string {
  const url = URL.parse(text);
  const plain =
    url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  if (url === null || !plain) {
    throw new IcecoreError('BAD_USER_INPUT', `"${text.slice(0, 200)}" is no http or https address without credentials.`);
  }
  return url.origin;
}
