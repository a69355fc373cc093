import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

export interface Line {
  /** Of all answers together. */
  readonly bytesPerSecond: number;
  /** From a request to the first byte of its answer. */
  readonly roundTripMs: number;
}

/** What was read of the objects with a name of some kind. */
export interface ObjectReads {
  readonly requests: number;
  readonly bytes: number;
}

/** An HTTP proxy on loopback before an object store: counts what is read of each object, and can be as slow as a real line. */
export class ObjectStoreProxy {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly #server: Server;
  readonly #agent: Agent;
  readonly #line: Line | null;
  readonly #reads = new Map<string, { requests: number; bytes: number }>();
  /** When the line is free again. */
  #freeMs = 0;

  private constructor(server: Server, port: number, line: Line | null) {
    this.url = `http://127.0.0.1:${port}`;
    this.#server = server;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 256 });
    this.#line = line;
  }

  /** `target` is the store's URL. Requests keep the `Host` that they were signed with. */
  static async start(target: string, line: Line | null = null): Promise<ObjectStoreProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    const proxy = new ObjectStoreProxy(server, address.port, line);
    const { hostname, port } = new URL(target);
    server.on('request', (req, res) => proxy.#relay(req, res, hostname, port));
    return proxy;
  }

  /** Of the objects whose key ends so, since the start or the last `forget`. */
  reads(ending: string): ObjectReads {
    const found = [...this.#reads].filter(([key]) => key.endsWith(ending)).map(([, reads]) => reads);
    return {
      requests: found.reduce((sum, { requests }) => sum + requests, 0),
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  forget(): void {
    this.#reads.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    this.#agent.destroy();
  }

  #relay(req: IncomingMessage, res: ServerResponse, hostname: string, port: string): void {
    const { method, url, headers } = req;
    const sent = request({ hostname, port, method, path: url, headers, agent: this.#agent });
    sent.once('error', () => res.destroy());
    res.once('close', () => sent.destroy());
    sent.once('response', (answer) => void this.#answer(req, answer, res).catch(() => res.destroy()));
    req.pipe(sent);
  }

  async #answer(req: IncomingMessage, answer: IncomingMessage, res: ServerResponse): Promise<void> {
    const key = new URL(req.url ?? '/', this.url).pathname;
    const reads = this.#reads.get(key) ?? { requests: 0, bytes: 0 };
    if (req.method === 'GET') {
      this.#reads.set(key, reads);
      reads.requests++;
    }
    if (this.#line !== null) await pause(this.#line.roundTripMs);
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    const count = (bytes: number): void => {
      if (req.method === 'GET') reads.bytes += bytes;
    };
    await pipeline(answer, (chunks: AsyncIterable<Buffer>) => this.#carried(chunks, count), res);
  }

  async *#carried(chunks: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      count(chunk.length);
      await this.#turn(chunk.length);
      yield chunk;
    }
  }

  /** Waits until the line has carried what was given to it before. */
  async #turn(bytes: number): Promise<void> {
    if (this.#line === null) return;
    const nowMs = performance.now();
    const startMs = Math.max(this.#freeMs, nowMs);
    this.#freeMs = startMs + (bytes / this.#line.bytesPerSecond) * 1000;
    // Timers are good to a millisecond or two: what is due sooner goes at once, and is paid by those behind it.
    if (startMs - nowMs > 2) await pause(startMs - nowMs);
  }
}
