import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface LineSpeed {
  /** Of all that comes from the far end, over all connections together. */
  readonly bytesPerSecond: number;
  /** From a request to the first byte of its answer. */
  readonly roundTripMs: number;
}

const pieceBytes = 128 * 1024;
/** Timers are good to a millisecond or two: what is due sooner goes at once, and is paid by those behind it. */
const timerMs = 2;

/** A TCP relay on loopback, as slow as a real line. It knows nothing of what it carries, and so takes little of the processors' time. */
export class SlowLine {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly #speed: LineSpeed;
  /** Memory of pieces that have been sent. */
  readonly #memory: Uint8Array[] = [];
  /** When the line is free again. */
  #freeMs = 0;

  private constructor(server: Server, port: number, target: URL, speed: LineSpeed) {
    this.url = `http://127.0.0.1:${port}`;
    this.#speed = speed;
    server.on('connection', (near) => this.#relay(near, target));
  }

  /** `target` is what is reached over the line: `http://HOST:PORT`. */
  static async start(target: string, speed: LineSpeed): Promise<SlowLine> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no free port');
    return new SlowLine(server, address.port, new URL(target), speed);
  }

  #relay(near: Socket, { hostname, port }: URL): void {
    const far = connect({
      host: hostname,
      port: Number(port),
      onread: {
        buffer: () => this.#memory.pop() ?? new Uint8Array(pieceBytes),
        callback: (count, memory) => {
          void this.#carry(far, near, memory, count);
          return false;
        },
      },
    });
    far.setNoDelay(true);
    const end = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) for (const event of ['error', 'close', 'end']) socket.on(event, end);
    // Whole requests are late by the round trip, and none overtakes another.
    let before: Promise<unknown> = Promise.resolve();
    near.on('data', (request) => {
      const late = pause(this.#speed.roundTripMs);
      before = before.then(() => late).then(() => far.destroyed || far.write(request));
    });
  }

  async #carry(far: Socket, near: Socket, memory: Uint8Array, count: number): Promise<void> {
    const nowMs = performance.now();
    const startMs = Math.max(this.#freeMs, nowMs);
    this.#freeMs = startMs + (count / this.#speed.bytesPerSecond) * 1000;
    // Also what is due waits until the socket has stopped reading: it would else be told to go on before.
    await (startMs - nowMs > timerMs ? pause(startMs - nowMs) : undefined);
    if (near.destroyed) return;
    const isTaken = near.write(memory.subarray(0, count), () => this.#memory.push(memory));
    if (isTaken) far.resume();
    else near.once('drain', () => far.resume());
  }
}
