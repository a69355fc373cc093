import type { AccessToken } from '../../access/access-tokens.ts';
import { IcecoreError } from '../../errors.ts';
import { printJson } from '../../iceberg/json.ts';
import { oauthBodyBytesMax } from '../../limits.ts';
import type { IcebergAnswer } from './answer.ts';
import type { IcebergRequest, Route } from './route.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const subjectTypes: ReadonlySet<string> = new Set([accessTokenType, 'urn:ietf:params:oauth:token-type:jwt']);

/**
 * `POST /v1/oauth/tokens`, for clients with a `credential=`: an API key as the client's secret, for a token that is good for an hour (RFC 6749,
 * section 4.4) and is exchanged for the next one (RFC 8693). Deprecated by the specification for good: a client that can send the key
 * itself as `token=` needs none of it.
 */
export const tokenRoute: Route = {
  operation: 'getToken',
  method: 'POST',
  path: '/v1/oauth/tokens',
  isPublic: true,
  answer: answerToken,
};

/** A refusal by the names of RFC 6749, section 5.2. */
class Refusal extends Error {
  readonly error: 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unsupported_grant_type';
  readonly refused: IcecoreError | null;

  constructor(error: Refusal['error'], description: string, cause: IcecoreError | null = null) {
    super(description);
    this.error = error;
    this.refused = cause;
  }
}

async function answerToken(request: IcebergRequest): Promise<IcebergAnswer> {
  try {
    const { token, expiresInSeconds } = grant(request, await formOf(request));
    return answer(200, {
      access_token: token,
      token_type: 'bearer',
      expires_in: expiresInSeconds,
      issued_token_type: accessTokenType,
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // Counted as any caller who is not known.
    if (error.refused !== null) void request.icecore.audit.refused(null, 'authenticate', 'server', error.refused);
    const isClient = error.error === 'invalid_client';
    const headers = isClient ? { 'www-authenticate': 'Basic realm="icecore"' } : {};
    return answer(isClient ? 401 : 400, { error: error.error, error_description: error.message }, headers);
  }
}

function grant(request: IcebergRequest, form: URLSearchParams): AccessToken {
  const type = form.get('grant_type');
  if (type === null) throw new Refusal('invalid_request', 'grant_type is missing: send client_credentials.');
  if (type === tokenExchange) return exchange(request, form);
  if (type === 'client_credentials') return clientCredentials(request, form);
  throw new Refusal('unsupported_grant_type', `grant_type ${shown(type)} is not served: send client_credentials.`);
}

/** The client's id says nothing: who somebody is follows from the key alone. */
function clientCredentials({ icecore, headers }: IcebergRequest, form: URLSearchParams): AccessToken {
  const secret = form.get('client_secret') ?? basicSecret(headers.authorization);
  if (secret === null) throw new Refusal('invalid_request', 'client_secret is missing: send an API key as the secret.');
  return recognised('invalid_client', () => icecore.keys.tokenFor(secret));
}

/** A client whose token has expired shows the key again, as Basic credentials. */
function exchange({ icecore, headers }: IcebergRequest, form: URLSearchParams): AccessToken {
  const token = form.get('subject_token');
  if (token === null) throw new Refusal('invalid_request', 'subject_token is missing: send the access token to renew.');
  const type = form.get('subject_token_type');
  if (type === null || !subjectTypes.has(type)) {
    throw new Refusal('invalid_request', `subject_token_type ${shown(type ?? '(none)')} is not taken: send ${accessTokenType}.`);
  }
  const secret = basicSecret(headers.authorization);
  if (secret !== null) return recognised('invalid_client', () => icecore.keys.tokenFor(secret));
  return recognised('invalid_grant', () => icecore.keys.renewedToken(token));
}

function recognised(refusal: Refusal['error'], work: () => AccessToken): AccessToken {
  try {
    return work();
  } catch (error) {
    if (!IcecoreError.is(error, 'UNAUTHENTICATED')) throw error;
    throw new Refusal(refusal, error.message, error);
  }
}

/** What stands behind the first colon of Basic credentials, or all of it where there is none: some clients have no id. */
function basicSecret(authorization: string | undefined): string | null {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString();
  return text.slice(text.indexOf(':') + 1);
}

async function formOf(request: IcebergRequest): Promise<URLSearchParams> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    throw new Refusal('invalid_request', 'The body must be a form: send application/x-www-form-urlencoded.');
  }
  const form = new URLSearchParams(Buffer.from(await request.bytes(oauthBodyBytesMax)).toString());
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new Refusal('invalid_request', `${shown(name)} is sent more than once.`);
  }
  return form;
}

/** Answers hold a secret: no cache may keep them. */
function answer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): IcebergAnswer {
  return { status, headers: { ...headers, 'cache-control': 'no-store' }, body: printJson(body) };
}

/** Of what a caller sent, so much that they know it again. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
