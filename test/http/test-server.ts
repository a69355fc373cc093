import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/clock.ts';
import { parseConfig } from '../../src/config.ts';
import { HttpServer } from '../../src/http/server.ts';
import { Icecore } from '../../src/icecore.ts';

export interface TestServer {
  readonly origin: string;
  readonly icecore: Icecore;
  /** Of the store; files for `writeRows` may lie in `files` below it. */
  readonly directory: string;
  ask(query: string, variables?: Readonly<Record<string, unknown>>, key?: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  // Tests read into answers of any shape.
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly data?: any;
  readonly errors?: readonly { readonly message: string; readonly extensions: Readonly<Record<string, unknown>> }[];
}

const everyoneMayAll = JSON.stringify([
  { subject: '*', on: '*', may: 'write' },
  { subject: '*', on: 'icecore', may: 'read' },
]);

/** A whole server over a new store, on a free port of loopback; without access control unless keys are given. */
export async function startTestServer(
  options: {
    readonly keys?: string;
    /** Who may read and write what, where there are keys; all of them all where left out. */
    readonly grants?: string;
    readonly graphiqlKey?: string;
    readonly clock?: Clock;
    readonly modelOrigins?: string;
    /** Below the store; `files` where left out. */
    readonly fileRoot?: string;
    readonly allowLocalApproval?: boolean;
    /** Further variables of its configuration. */
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'icecore-http-'));
  const config = parseConfig(options.allowLocalApproval ? ['--allow-local-approval'] : [], {
    ICECORE_CATALOG: `sqlite:${directory}/catalog.sqlite`,
    ICECORE_API_KEYS: options.keys,
    ICECORE_GRANTS: options.keys === undefined ? undefined : (options.grants ?? everyoneMayAll),
    ICECORE_FILE_ROOTS: join(directory, options.fileRoot ?? 'files'),
    ICECORE_ALLOWED_MODEL_ORIGINS: options.modelOrigins,
    ...options.environment,
  });
  const icecore = await Icecore.open(
    { ...config, engineMemoryBytesMax: 1024 ** 3, engineThreads: 2 },
    options.clock ?? systemClock,
  );
  const server = await HttpServer.start(icecore, { host: '127.0.0.1', port: 0, graphiqlKey: options.graphiqlKey });
  return {
    origin: server.origin,
    icecore,
    directory,
    async ask(query, variables = {}, key) {
      const response = await fetch(`${server.origin}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json',
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ query, variables }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    },
    async close() {
      await server.close();
      await icecore.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
