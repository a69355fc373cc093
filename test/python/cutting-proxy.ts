import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** How the answers of one connection end early: behind so many of their bytes, with a reset, after whatever `first` does. */
export interface Cut {
  readonly afterBytes: number;
  readonly first?: () => Promise<void>;
}

/** A proxy on loopback that lets through a part of what a server answers. */
export class CuttingProxy {
  readonly origin: string;
  readonly #server: Server;
  readonly #cuts: (connection: number) => Cut | null;
  readonly #sockets = new Set<Socket>();
  /** Connections are made to it; none where null, and who comes is turned away. */
  target: number | null;
  /** Connections so far. */
  connections = 0;

  private constructor(server: Server, origin: string, target: number, cuts: (connection: number) => Cut | null) {
    this.#server = server;
    this.origin = origin;
    this.target = target;
    this.#cuts = cuts;
  }

  /** `cuts` says how connection n, from 0, ends; null where it may go on to the end. */
  static async start(target: number, cuts: (connection: number) => Cut | null): Promise<CuttingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    const proxy = new CuttingProxy(server, `http://127.0.0.1:${address.port}`, target, cuts);
    server.on('connection', (client) => proxy.#relay(client));
    return proxy;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(client: Socket): void {
    const cut = this.#cuts(this.connections++);
    if (this.target === null) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(this.target, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    let passed = 0;
    server.on('data', (bytes) => {
      const left = (cut?.afterBytes ?? Number.POSITIVE_INFINITY) - passed;
      passed += bytes.length;
      if (bytes.length <= left) {
        if (client.write(bytes)) return;
        server.pause();
        client.once('drain', () => server.resume());
        return;
      }
      server.pause();
      const end = async (): Promise<void> => {
        await cut?.first?.();
        client.resetAndDestroy();
        server.destroy();
      };
      client.write(bytes.subarray(0, left), () => void end());
    });
    client.pipe(server);
    server.on('end', () => client.end()).on('close', () => client.destroySoon());
    client.on('close', () => server.destroy());
  }
}
