import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from '../iceberg/json.ts';
import type { Console } from './console.ts';
import type { FlagDefinition, Flags } from './flags.ts';
import { Refusal, Unreachable } from './refusal.ts';

/** Where `icecore serve` listens by itself. */
const urlDefault = 'http://127.0.0.1:4000';

/** Of every command that asks a server. */
export const serverFlags: readonly FlagDefinition[] = [
  { name: 'url', value: 'URL', help: `the server; ICECORE_URL, else ${urlDefault}` },
  { name: 'key', value: 'KEY', help: 'who is asking; ICECORE_KEY, which other users of this machine cannot see' },
];

interface GraphQlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message?: unknown; readonly extensions?: { readonly code?: unknown } }[];
}

/** A server's GraphQL API, as one caller sees it. */
export class Api {
  readonly #origin: string;
  readonly #endpoint: URL;
  readonly #key: string | null;

  private constructor(url: URL, key: string | null) {
    this.#endpoint = new URL(url);
    this.#endpoint.pathname = `${url.pathname.replace(/\/(graphql\/?)?$/, '')}/graphql`;
    this.#origin = url.origin;
    this.#key = key;
  }

  /** By flags, else by the environment. Throws BAD_USER_INPUT for what is no address. */
  static of(flags: Flags, environment: Console['environment']): Api {
    const text = flags.value('url') ?? nonEmpty(environment.ICECORE_URL) ?? urlDefault;
    const url = URL.parse(text);
    if (url === null || !['http:', 'https:'].includes(url.protocol)) {
      throw new IcecoreError('BAD_USER_INPUT', `"${text}" is no address of a server: write one such as ${urlDefault}.`);
    }
    const key = flags.value('key') ?? nonEmpty(environment.ICECORE_KEY);
    if (key !== null && !/^[\x21-\x7e]+$/.test(key)) {
      throw new IcecoreError('BAD_USER_INPUT', 'The key holds characters that no key has; was it copied whole?');
    }
    return new Api(url, key);
  }

  /** The answer's data; whole numbers beyond 2^53 are bigints. Throws Refusal with the first error, or Unreachable. */
  async ask<Data>(query: string, variables: Readonly<Record<string, unknown>>): Promise<Data> {
    const response = await this.#send(printJson({ query, variables }));
    const answer = await this.#read(response);
    const [error] = answer.errors ?? [];
    if (error !== undefined) {
      const { message, extensions } = error;
      throw new Refusal(String(message), String(extensions?.code ?? 'INTERNAL'));
    }
    if (answer.data === undefined || answer.data === null) throw this.#stranger(response.status);
    return answer.data as Data;
  }

  async #send(body: string): Promise<Response> {
    try {
      return await fetch(this.#endpoint, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json;q=0.9',
          ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        // The key goes to whom it was meant for.
        redirect: 'manual',
        body,
      });
    } catch (error) {
      throw new Unreachable(
        `Cannot reach Icecore at ${this.#origin} (${reasonOf(error)}): start it with "icecore serve", or say where it is with --url or ICECORE_URL.`,
        { cause: error },
      );
    }
  }

  async #read(response: Response): Promise<GraphQlAnswer> {
    let text: string;
    try {
      text = await response.text();
    } catch (error) {
      throw new Unreachable(`Icecore at ${this.#origin} broke off in the middle of its answer (${reasonOf(error)}): ask again.`, {
        cause: error,
      });
    }
    try {
      const answer = parseJson(text);
      if (typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer))
        return answer as GraphQlAnswer;
    } catch {
      // Falls through to the one error below.
    }
    throw this.#stranger(response.status);
  }

  #stranger(status: number): Unreachable {
    return new Unreachable(
      `What answers at ${this.#endpoint.href} is not Icecore (HTTP ${status}): say where it is with --url or ICECORE_URL.`,
    );
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return String(code ?? message ?? cause);
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text.trim();
}
