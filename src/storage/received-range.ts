import { connect as connectPlainly, isIP, type OnReadOpts, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectSecurely } from 'node:tls';
import { storageConnectMsMax, storageIdleMsMax, storageRequestMsMax } from '../limits.ts';
import { type ResponseHead, readResponseHead } from './response-head.ts';

/** A request that has been signed already. */
export interface RangeRequest {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  /** With its query. */
  readonly path: string;
  /** `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The head of an answer whose body lies where it was wanted. */
export interface RangeAnswer {
  readonly headers: Readonly<Record<string, string>>;
}

const receivedBytes = 256 * 1024;
/** A socket reads into it, and hands it on before any other of this thread reads. */
const received = new Uint8Array(receivedBytes);

/** One connection: gets a range at a time, right into memory of the caller. */
export class RangeConnection {
  readonly #socket: Socket;
  #getting: Getting | null = null;
  #isOpen = true;
  #isAnswering = false;

  constructor({ isSecure, host, port }: RangeRequest) {
    const onread: OnReadOpts = { buffer: received, callback: (count: number) => this.#receive(received.subarray(0, count)) };
    const place: TcpSocketConnectOpts & { readonly onread: OnReadOpts } = { host, port, onread };
    // Node's types lack what it takes. Addresses are no server names (RFC 6066, section 3).
    const secure = { ...place, servername: isIP(host) === 0 ? host : '' } as ConnectionOptions;
    this.#socket = isSecure ? connectSecurely(secure) : connectPlainly(place);
    this.#socket.setNoDelay(true);
    // One that a gateway forgot while it was idle is noticed.
    this.#socket.setKeepAlive(true, storageConnectMsMax);
    this.#socket.setTimeout(storageConnectMsMax);
    this.#socket.once(isSecure ? 'secureConnect' : 'connect', () => this.#socket.setTimeout(storageRequestMsMax));
    this.#socket.on('timeout', () => this.close());
    this.#socket.on('error', () => this.close());
    this.#socket.on('end', () => this.close());
    this.#socket.on('close', () => this.close());
  }

  /** Whether it can be asked again. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether anything came of the answer to what was asked last. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /**
   * Gets the bytes of a range, into `into`, which nothing is written to any more when this resolves. Null where anything is not as it is when
   * all is well: the connection is closed then, and what was wrong is found out by whoever asks in another way.
   */
  async get({ path, headers }: RangeRequest, into: Uint8Array): Promise<RangeAnswer | null> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const { promise, resolve } = Promise.withResolvers<RangeAnswer | null>();
    this.#getting = { into, filled: 0, head: new Uint8Array(), headers: null, resolve };
    this.#isAnswering = false;
    this.#socket.ref();
    if (!this.#socket.connecting) this.#socket.setTimeout(storageRequestMsMax);
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
    const answer = await promise;
    if (answer?.headers.connection?.toLowerCase() === 'close') this.close();
    if (this.#isOpen) {
      this.#socket.setTimeout(0);
      // Nobody waits for it: it keeps no process alive.
      this.#socket.unref();
    }
    return answer;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.destroy();
    this.#getting?.resolve(null);
    this.#getting = null;
  }

  #receive(bytes: Uint8Array): boolean {
    const getting = this.#getting;
    this.#isAnswering = true;
    // Nobody asked for anything.
    if (getting === null) this.close();
    else if (getting.headers !== null) this.#fill(getting, bytes);
    else this.#begin(getting, bytes);
    return this.#isOpen;
  }

  #begin(getting: Getting, bytes: Uint8Array): void {
    getting.head = Buffer.concat([getting.head, bytes]);
    const head = readResponseHead(getting.head);
    if (head === null) return;
    if (head === 'odd' || !isPlain(head, getting.into.length)) {
      this.close();
      return;
    }
    getting.headers = head.headers;
    this.#socket.setTimeout(storageIdleMsMax);
    this.#fill(getting, getting.head.subarray(head.byteLength));
  }

  #fill(getting: Getting, bytes: Uint8Array): void {
    const { into, filled, headers, resolve } = getting;
    if (filled + bytes.length > into.length) {
      this.close();
      return;
    }
    into.set(bytes, filled);
    getting.filled += bytes.length;
    if (getting.filled < into.length) return;
    this.#getting = null;
    resolve({ headers: headers ?? {} });
  }
}

/** The bytes that were wanted, and no checksum of them: that is the SDK's to compare. */
function isPlain({ status, headers }: ResponseHead, byteLength: number): boolean {
  if (status !== 206 || Number(headers['content-length']) !== byteLength) return false;
  return !Object.keys(headers).some((name) => name.startsWith('x-amz-checksum'));
}

interface Getting {
  readonly into: Uint8Array;
  readonly resolve: (answer: RangeAnswer | null) => void;
  filled: number;
  /** Until it is whole. */
  head: Uint8Array;
  headers: Readonly<Record<string, string>> | null;
}
