import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
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
  readonly errors?: readonly {
    readonly message?: unknown;
    readonly extensions?: { readonly code?: unknown; readonly retryable?: unknown };
  }[];
}

const jsonAccepted = 'application/graphql-response+json, application/json;q=0.9';
const arrowStreamType = 'application/vnd.apache.arrow.stream';

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
    const response = await this.#send(printJson({ query, variables }), jsonAccepted);
    const answer = await this.#read(response);
    if (answer.data === undefined || answer.data === null) throw this.#stranger(response.statusCode);
    return answer.data as Data;
  }

  /**
   * The bytes of a subscription's batches, one Arrow stream. Throws as `ask` does before the first of them; from then on whoever takes
   * them meets Unreachable where the connection breaks, or brings nothing for so long. Whoever leaves early leaves the server.
   */
  async stream(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    { silenceMsMax }: { readonly silenceMsMax: number },
  ): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.#send(printJson({ query, variables }), `${arrowStreamType}, ${jsonAccepted}`, silenceMsMax);
    const [type = ''] = (response.headers['content-type'] ?? '').split(';');
    if (type.trim() === arrowStreamType) return this.#chunks(response);
    await this.#read(response);
    throw this.#stranger(response.statusCode);
  }

  /** Resolves when the answer begins: a statement may take its time, and the server has limits of its own. Redirects are not followed. */
  #send(body: string, accept: string, silenceMsMax = 0): Promise<IncomingMessage> {
    const request = this.#endpoint.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      accept,
      ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
    };
    return new Promise((resolve, reject) => {
      const failed = (cause: unknown): void => {
        const why = `Cannot reach Icecore at ${this.#origin} (${reasonOf(cause)})`;
        reject(
          new Unreachable(`${why}: start it with "icecore serve", or say where it is with --url or ICECORE_URL.`, { cause }),
        );
      };
      const sent = request(this.#endpoint, { method: 'POST', headers }, resolve).on('error', failed).end(body);
      if (silenceMsMax > 0) sent.setTimeout(silenceMsMax, () => sent.destroy(new Error(`silent for ${silenceMsMax / 1000} s`)));
    });
  }

  async *#chunks(response: IncomingMessage): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of response) yield chunk as Uint8Array;
    } catch (cause) {
      throw this.#brokenOff(cause);
    }
  }

  #brokenOff(cause: unknown): Unreachable {
    const why = `Icecore at ${this.#origin} broke off in the middle of its answer (${reasonOf(cause)})`;
    return new Unreachable(`${why}: ask again.`, { cause });
  }

  /** Throws Refusal with the answer's first error. */
  async #read(response: IncomingMessage): Promise<GraphQlAnswer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#chunks(response)) chunks.push(chunk);
    const answer = graphQlAnswer(Buffer.concat(chunks).toString('utf8'));
    if (answer === null) throw this.#stranger(response.statusCode);
    const [error] = answer.errors ?? [];
    if (error === undefined) return answer;
    const code = String(error.extensions?.code ?? 'INTERNAL');
    const isRetryable = error.extensions?.retryable === true || ['OVERLOADED', 'TIMEOUT'].includes(code);
    throw new Refusal(String(error.message), code, { isRetryable });
  }

  #stranger(status = 0): Unreachable {
    const why = `What answers at ${this.#endpoint.href} is not Icecore (HTTP ${status})`;
    // A proxy whose server is away says so.
    return new Unreachable(`${why}: say where it is with --url or ICECORE_URL.`, { isRetryable: status >= 500 });
  }
}

/** Null for what is no answer of GraphQL's. */
function graphQlAnswer(text: string): GraphQlAnswer | null {
  try {
    const answer = parseJson(text);
    if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) return null;
    return answer as GraphQlAnswer;
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return String(code ?? message ?? error);
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text.trim() === '' ? null : text.trim();
}
