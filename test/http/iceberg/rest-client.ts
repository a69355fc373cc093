import { parseJson, printJson } from '../../../src/iceberg/json.ts';

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests read into answers of any shape; 64-bit integers are bigints.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly body: any;
}

export interface RestRequest {
  readonly method?: string;
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the Iceberg REST catalog of a server; `path` begins with `/v1`. */
export async function askRest(
  { origin }: { readonly origin: string },
  path: string,
  { method, body, key, headers }: RestRequest = {},
): Promise<RestAnswer> {
  const response = await fetch(`${origin}/iceberg${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : printJson(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text === '' ? null : parseJson(text) };
}

/** A refusal as `status type: message`. */
export function refusalOf({ status, body }: RestAnswer): string {
  return `${status} ${body.error.type}: ${body.error.message}`;
}
