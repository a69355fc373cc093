import { ApiKeys } from '../../src/access/api-keys.ts';
import { systemClock } from '../../src/clock.ts';
import { HttpServer } from '../../src/http/server.ts';
import { Icecore } from '../../src/icecore.ts';

export interface TestServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** A server on a free port of loopback; without keys unless they are given. */
export async function startTestServer(options: { readonly keys?: string } = {}): Promise<TestServer> {
  const keys = await ApiKeys.load(options.keys, systemClock);
  const icecore = new Icecore({ keys });
  const server = await HttpServer.start(icecore, { host: '127.0.0.1', port: 0 });
  return { origin: server.origin, close: () => server.close() };
}
