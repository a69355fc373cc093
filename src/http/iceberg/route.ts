import type { IncomingHttpHeaders } from 'node:http';
import type { Call } from '../../access/call.ts';
import type { Caller } from '../../access/caller.ts';
import type { JsonObject } from '../../iceberg/json-member.ts';
import type { Icecore } from '../../icecore.ts';
import type { IcebergAnswer } from './answer.ts';
import type { LoadAnswers } from './load-answers.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE';

/** One operation of the Iceberg REST catalog specification that this server has. */
export interface Route {
  /** The specification's `operationId`; the audit log knows the change by it. */
  readonly operation: string;
  readonly method: Method;
  /** In the specification's spelling, such as `/v1/{prefix}/namespaces/{namespace}`: so it is advertised too. */
  readonly path: string;
  /** True where it is answered to whoever asks, such as the one that gives out tokens. */
  readonly isPublic?: boolean;
  /** Whether a server as it is set up has any use for it; it is advertised only there. Everywhere where left out. */
  readonly isServed?: (server: { readonly icecore: Icecore }) => boolean;
  readonly answer: (request: IcebergRequest) => Promise<IcebergAnswer>;
}

/** A request that has found its route. */
export interface IcebergRequest {
  readonly icecore: Icecore;
  readonly caller: Caller;
  readonly operation: string;
  /** The path's variables by their names in the route, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly takesGzip: boolean;
  readonly loads: LoadAnswers;
  /** Fires when the client has left, or the operation takes too long. */
  readonly signal: AbortSignal;
  /** The request as a change, under its `Idempotency-Key` where it has one. `input` is the body, which a repetition has to equal. */
  call(input: unknown): Call;
  /** The body, of `bytesMax` at most where that is given. Throws BAD_USER_INPUT where it is too large or late. */
  bytes(bytesMax?: number): Promise<Uint8Array>;
  /** The body as JSON, 64-bit integers as bigints. Throws BAD_USER_INPUT unless it is an object of bounded nesting. */
  json(): Promise<JsonObject>;
}
