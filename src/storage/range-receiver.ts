import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { storageReceivedIdleMax, storageReceiverRestMs, storageSocketsMax } from '../limits.ts';
import { type RangeAnswer, RangeConnection, type RangeRequest } from './received-range.ts';

/** As the SDK hands it to its handler. */
interface SignedRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly username?: string | undefined;
  readonly fragment?: string | undefined;
}

/** What a caller of the SDK's client hands to it with a request for a range. */
export interface ReceivingOptions {
  readonly receiving?: Receiving;
  readonly abortSignal?: AbortSignal;
}

export interface Receiving {
  /** Of the range's size. */
  readonly into: Uint8Array;
  /** All of the bytes are there; the answer has no body. Else the body is to be read. */
  isFilled: boolean;
}

/**
 * Has a client receive answers with a range in memory that is handed in with the request (`ReceivingOptions`), by sockets of our own: by
 * Node's HTTP each piece of an answer is new memory, and a gigabyte costs four times the processor time. They know the plain case alone, 206
 * with as many bytes as wanted. Whatever else comes, the SDK's own handler asks again, and for a while all goes by that.
 */
export function receiveRanges(client: S3Client): void {
  const plain = client.config.requestHandler;
  const receiver = new RangeReceiver();
  client.config.requestHandler = Object.assign(Object.create(plain), {
    handle: async (request: SignedRequest, options: ReceivingOptions = {}) =>
      (await receiver.response(request, options)) ?? (await plain.handle(request, options)),
    destroy: () => {
      receiver.close();
      plain.destroy?.();
    },
  });
}

class RangeReceiver {
  readonly #idle = new Map<string, RangeConnection[]>();
  #underWay = 0;
  #restUntilMs = 0;
  #isClosed = false;

  /** Null for what the SDK's handler has to ask for. */
  async response(request: SignedRequest, { receiving, abortSignal }: ReceivingOptions): Promise<object | null> {
    if (receiving === undefined || abortSignal !== undefined) return null;
    // By the SDK's handler, what is too much waits for one of its connections.
    if (performance.now() < this.#restUntilMs || this.#underWay >= storageSocketsMax) return null;
    const range = rangeRequest(request);
    if (range === null) return null;
    this.#underWay++;
    const answer = await this.#get(range, receiving.into).finally(() => this.#underWay--);
    if (answer === null) {
      this.#restUntilMs = performance.now() + storageReceiverRestMs;
      return null;
    }
    receiving.isFilled = true;
    return { response: { statusCode: 206, headers: { ...answer.headers }, body: Readable.from([]) } };
  }

  /** What is under way is received to its end. */
  close(): void {
    this.#isClosed = true;
    for (const connection of [...this.#idle.values()].flat()) connection.close();
    this.#idle.clear();
  }

  async #get(request: RangeRequest, into: Uint8Array): Promise<RangeAnswer | null> {
    const idle = this.#idleOf(request);
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      if (!kept.isOpen) continue;
      const answer = await this.#by(kept, request, into);
      // The store may have closed it while it was asked.
      if (answer !== null || kept.isAnswering) return answer;
      break;
    }
    return await this.#by(new RangeConnection(request), request, into);
  }

  async #by(connection: RangeConnection, request: RangeRequest, into: Uint8Array): Promise<RangeAnswer | null> {
    const answer = await connection.get(request, into);
    const idle = this.#idleOf(request);
    if (connection.isOpen && !this.#isClosed && idle.length < storageReceivedIdleMax) idle.push(connection);
    else connection.close();
    return answer;
  }

  #idleOf({ isSecure, host, port }: RangeRequest): RangeConnection[] {
    const name = `${isSecure} ${host} ${port}`;
    const known = this.#idle.get(name) ?? [];
    this.#idle.set(name, known);
    return known;
  }
}

/** Null for what is not a plain request for a range. */
function rangeRequest(request: SignedRequest): RangeRequest | null {
  const { method, protocol, hostname, port, path, query, headers, body, username, fragment } = request;
  const isSecure = protocol === 'https:';
  if (method !== 'GET' || (!isSecure && protocol !== 'http:') || headers.range === undefined || headers.host === undefined)
    return null;
  if (body !== undefined || username !== undefined || fragment !== undefined) return null;
  const parameters: string[] = [];
  for (const [name, value] of Object.entries(query ?? {})) {
    if (typeof value !== 'string') return null;
    parameters.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  }
  const whole = parameters.length === 0 ? path : `${path}?${parameters.join('&')}`;
  if (
    !isPrintable.test(whole) ||
    !Object.entries(headers)
      .flat()
      .every((text) => isPrintable.test(text))
  )
    return null;
  // An address of IPv6 stands in brackets.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { isSecure, host, port: port ?? (isSecure ? 443 : 80), path: whole, headers };
}

/** Nothing that ends a line, or has another form on the wire. */
const isPrintable = /^[\x20-\x7e]+$/;
