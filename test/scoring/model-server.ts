import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface InferRequest {
  readonly path: string;
  /** From 0, in order of arrival. */
  readonly number: number;
  /** The values of each input by name. */
  readonly inputs: Readonly<Record<string, readonly unknown[]>>;
}

export interface InferAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What the server does with a request: an answer, or `break` to cut the connection. A promise lets it hang. */
export type Behaviour = (request: InferRequest) => InferAnswer | 'break' | Promise<InferAnswer | 'break'>;

/** A model server on a real socket that speaks the Open Inference Protocol v2, and misbehaves as told. */
export class ModelServer {
  readonly requests: InferRequest[] = [];
  /** Requests under way at once, at most so far. */
  busiest = 0;
  behaviour: Behaviour;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #busy = 0;

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer(async (request, response) => {
      this.#busy++;
      this.busiest = Math.max(this.busiest, this.#busy);
      const body = JSON.parse(await text(request)) as { inputs: { name: string; data: unknown[] }[] };
      const inputs = Object.fromEntries(body.inputs.map(({ name, data }) => [name, data]));
      const question = { path: request.url ?? '', number: this.requests.length, inputs };
      this.requests.push(question);
      const answer = await this.behaviour(question);
      this.#busy--;
      if (answer === 'break') {
        response.destroy();
        return;
      }
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async open(behaviour: Behaviour = scoring()): Promise<ModelServer> {
    const server = new ModelServer(behaviour);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Rows that were sent, over all requests. */
  get rowsSent(): number {
    return this.requests.reduce((sum, { inputs }) => sum + (inputs.x?.length ?? 0), 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The model of the tests: `score` is x plus the distance, x taken as 0 where there is none. */
export function scoring(
  told: { readonly model?: string; readonly version?: string } = { model: 'late', version: '1' },
): Behaviour {
  return ({ inputs }) => ({ body: answerOf(inputs, told) });
}

export function answerOf(
  inputs: InferRequest['inputs'],
  told: { readonly model?: string; readonly version?: string } = { model: 'late', version: '1' },
): unknown {
  const scores = (inputs.x ?? []).map((x, row) => Number(x ?? 0) + Number(inputs.distance?.[row]));
  return {
    ...(told.model === undefined ? {} : { model_name: told.model }),
    ...(told.version === undefined ? {} : { model_version: told.version }),
    outputs: [{ name: 'score', datatype: 'FP64', shape: [scores.length, 1], data: scores }],
  };
}
