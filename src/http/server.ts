import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { IcecoreError } from '../errors.ts';
import type { Icecore } from '../icecore.ts';
import { drainMsMax, requestHeadersMsMax, uploadMsMax } from '../limits.ts';
import { listener } from './listener.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  readonly graphiqlKey?: string | undefined;
}

/** The one listener of a process. */
export class HttpServer {
  readonly #server: Server;
  readonly #host: string;
  #draining = false;

  private constructor(icecore: Icecore, { host, graphiqlKey }: ServerOptions) {
    this.#host = host;
    this.#server = createServer(
      { headersTimeout: requestHeadersMsMax, requestTimeout: uploadMsMax, keepAliveTimeout: 65_000 },
      listener(icecore, { graphiqlKey, isDraining: () => this.#draining }),
    );
  }

  /** Resolves when it listens. Throws FAILED_PRECONDITION where the address is taken, or is not loopback and nothing tells callers apart. */
  static async start(icecore: Icecore, options: ServerOptions): Promise<HttpServer> {
    if (!icecore.keys.inForce && !isLoopback(options.host)) {
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `Without ICECORE_API_KEYS anybody who reaches the server may do anything, so it listens on loopback only, not on ${options.host}: set ICECORE_API_KEYS, or use --host 127.0.0.1.`,
      );
    }
    const server = new HttpServer(icecore, options);
    await server.#listen(options);
    return server;
  }

  /** `http://127.0.0.1:4000` */
  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${port}`;
  }

  /** Says that it is not ready, takes no more connections, gives requests in flight ten seconds, then resets what is left. */
  async close(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const late = setTimeout(() => this.#server.closeAllConnections(), drainMsMax);
    await closed;
    clearTimeout(late);
  }

  #listen({ host, port }: ServerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'the port is taken: choose another with --port' : cause.message;
        reject(new IcecoreError('FAILED_PRECONDITION', `Cannot listen on ${host}:${port}: ${why}.`, { cause }));
      });
      this.#server.listen(port, host, resolve);
    });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
