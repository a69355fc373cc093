import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';

/** A proxy that ends answers early and in good order, so that neither HTTP nor Arrow sees that anything is missing. */
export class PoliteProxy {
  readonly origin: string;
  readonly #server: Server;
  /** So far. */
  answers = 0;

  private constructor(server: Server, origin: string) {
    this.#server = server;
    this.origin = origin;
  }

  /** Answer n, from 0, has `lengths[n]` bytes; all of them beyond these. */
  static async start(target: string, lengths: readonly number[]): Promise<PoliteProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    const proxy = new PoliteProxy(server, `http://127.0.0.1:${address.port}`);
    server.on('request', (asked, answer) => {
      let left = lengths[proxy.answers++] ?? Number.POSITIVE_INFINITY;
      const onward = request(`${target}${asked.url}`, { method: 'POST', headers: asked.headers, agent: false });
      onward.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 500, { 'content-type': response.headers['content-type'] });
        response.on('data', (bytes: Buffer) => {
          if (answer.writableEnded) return;
          answer.write(bytes.subarray(0, Math.min(left, bytes.length)));
          left -= bytes.length;
          if (left <= 0) answer.end(() => response.destroy());
        });
        response.on('end', () => answer.end()).on('error', () => answer.end());
      });
      asked.pipe(onward.on('error', () => answer.destroy()));
    });
    return proxy;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Where each message of an Arrow IPC stream ends, the schema's first (format: "Encapsulated message format"). */
export function messageEnds(stream: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let at = 0; at < stream.length; ) {
    const metadataBytes = stream.readInt32LE(at + 4);
    if (metadataBytes === 0) break;
    const table = at + 8 + stream.readInt32LE(at + 8);
    const fields = table - stream.readInt32LE(table);
    // Its fourth field; a message without a body may lack it.
    const bodyLength = stream.readUInt16LE(fields) > 10 ? stream.readUInt16LE(fields + 10) : 0;
    at += 8 + metadataBytes + (bodyLength === 0 ? 0 : Number(stream.readBigInt64LE(table + bodyLength)));
    ends.push(at);
  }
  return ends;
}
