import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of bytes on their way to the server: `pass`; `cut`, the connection ends before them; `mute`, they arrive, and no answer
 * does; `swallow`, they are lost, and the connection stands. */
export type Passage = 'pass' | 'cut' | 'mute' | 'swallow';

/** A proxy on loopback that breaks connections where a test wants it. */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** Asked of all that a client sends. */
  decide: (bytes: Buffer) => Passage = () => 'pass';
  /** Refuses new connections where true, and ends them at once. */
  closed = false;

  private constructor(server: Server, port: number, sockets: Set<Socket>) {
    this.#server = server;
    this.port = port;
    this.#sockets = sockets;
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const sockets = new Set<Socket>();
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    const proxy = new TcpProxy(server, address.port, sockets);
    server.on('connection', (client) => proxy.#relay(client, targetPort));
    return proxy;
  }

  async stop(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #relay(client: Socket, targetPort: number): void {
    if (this.closed) {
      client.destroy();
      return;
    }
    const server = connect(targetPort, '127.0.0.1');
    let isMute = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    }
    client.on('data', (bytes) => {
      const passage = this.decide(bytes);
      if (passage === 'cut') {
        client.destroy();
        server.destroy();
        return;
      }
      if (passage === 'swallow') return;
      isMute ||= passage === 'mute';
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      // What it says now is what was not to be heard.
      if (isMute) client.destroy();
      else client.write(bytes);
    });
    client.on('close', () => server.end());
    server.on('close', () => client.destroy());
  }
}
