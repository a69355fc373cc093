import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../access/caller.ts';
import { IcecoreError } from '../../errors.ts';
import { printIdentifier, printNamespace } from '../../iceberg/identifier.ts';
import type { JsonObject } from '../../iceberg/json-member.ts';
import type { Icecore } from '../../icecore.ts';
import { operationMsMax, restKeyLifetimeMs } from '../../limits.ts';
import { checkLoopbackOrigin } from '../origin-guard.ts';
import { unknownCaller } from '../request-context.ts';
import { errorAnswer } from './error.ts';
import { answerOnce, idempotencyKeyOf } from './idempotent-answer.ts';
import { parseJsonBody, readBody } from './json-body.ts';
import { LoadAnswers } from './load-answers.ts';
import { parseNamespace } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { RouteTable } from './route-table.ts';
import { routes } from './routes.ts';
import { takesGzip, writeAnswer } from './write-answer.ts';

const prefix = '/iceberg';

/** Refusals that say something about the caller, and so belong in the audit log (semantics, section 8). */
const audited: ReadonlySet<string> = new Set(['FORBIDDEN', 'PINNED']);

/** Whether the Iceberg REST catalog answers a request. */
export function isIcebergRequest({ url = '' }: IncomingMessage): boolean {
  return url.startsWith(`${prefix}/`) || url === prefix;
}

/** The Iceberg REST catalog, at `/iceberg`: the same callers and rules as the GraphQL API's. Never throws. */
export function icebergEndpoint(icecore: Icecore): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  const table = new RouteTable(routes.filter(({ isServed }) => isServed?.({ icecore }) ?? true));
  const loads = new LoadAnswers(icecore);
  return async (req, res) => {
    let operation: string | null = null;
    try {
      if (!icecore.keys.inForce) checkLoopbackOrigin(req);
      const url = req.url ?? '';
      const queryAt = url.indexOf('?');
      const path = url.slice(prefix.length, queryAt === -1 ? undefined : queryAt);
      const refusal = refusalOf(icecore, req);
      // Who is not known learns nothing of what there is, but for what is meant for them.
      if (refusal.error !== null && !isPublic(table, req, path)) throw refusal.error;
      const { route, parameters } = table.find(req.method ?? 'GET', path);
      operation = route.operation;
      const query = new URLSearchParams(queryAt === -1 ? '' : url.slice(queryAt + 1));
      const found = { icecore, loads, caller: refusal.caller, parameters, query, req, res };
      if (refusal.error !== null) await answerRoute(route, found);
      else await icecore.access.asCaller(refusal.caller, () => answerRoute(route, found));
    } catch (error) {
      if (IcecoreError.is(error, 'UNAUTHENTICATED')) void icecore.audit.refused(null, 'authenticate', 'server', error);
      if (res.headersSent) res.destroy();
      else await writeAnswer(req, res, errorAnswer(error, operation)).catch(() => res.destroy());
    }
  };
}

interface Found {
  readonly icecore: Icecore;
  readonly loads: LoadAnswers;
  readonly caller: Caller;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

async function answerRoute(route: Route, { icecore, loads, caller, parameters, query, req, res }: Found): Promise<void> {
  const { operation } = route;
  let signal: AbortSignal | null = null;
  let json: Promise<JsonObject> | null = null;
  const request: IcebergRequest = {
    icecore,
    caller,
    operation,
    parameters,
    query,
    headers: req.headers,
    takesGzip: takesGzip(req),
    loads,
    get signal() {
      signal ??= signalOf(res);
      return signal;
    },
    call: (input) => ({
      caller,
      key: idempotencyKeyOf({ operation, headers: req.headers }),
      keyLifetimeMs: restKeyLifetimeMs,
      input: { ...parameters, ...Object.fromEntries(query), body: input },
    }),
    bytes: (bytesMax) => readBody(req, bytesMax),
    json: () => {
      json ??= jsonOf(req);
      return json;
    },
  };
  try {
    await writeAnswer(req, res, await answerOnce(route, request));
  } catch (error) {
    const isChange = route.method !== 'GET' && route.method !== 'HEAD';
    if (isChange && IcecoreError.is(error) && audited.has(error.code)) {
      await icecore.audit.refused(caller, operation, subjectOf(parameters), error);
    }
    throw error;
  }
}

function refusalOf(icecore: Icecore, { headers }: IncomingMessage): { caller: Caller; error: IcecoreError | null } {
  try {
    return { caller: icecore.keys.authenticate(headers.authorization), error: null };
  } catch (error) {
    if (!IcecoreError.is(error)) throw error;
    return { caller: unknownCaller, error };
  }
}

function isPublic(table: RouteTable, { method = 'GET' }: IncomingMessage, path: string): boolean {
  try {
    return table.find(method, path).route.isPublic === true;
  } catch {
    return false;
  }
}

function signalOf(res: ServerResponse): AbortSignal {
  const left = new AbortController();
  res.once('close', () => left.abort());
  return AbortSignal.any([left.signal, AbortSignal.timeout(operationMsMax)]);
}

async function jsonOf(req: IncomingMessage): Promise<JsonObject> {
  checkJsonType(req);
  return parseJsonBody(await readBody(req));
}

/** Browsers send text, forms and multipart bodies across origins without asking first, JSON not. */
function checkJsonType({ headers }: IncomingMessage): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json') return;
  throw new IcecoreError('BAD_USER_INPUT', `The content type ${type ?? '(none)'} is not taken here: send application/json.`);
}

/** What an attempt was about, by the path: names printed so that no two are alike. */
function subjectOf({ namespace, table, view }: Readonly<Record<string, string>>): string {
  if (namespace === undefined) return 'server';
  const parts = parseNamespace(namespace);
  if (table !== undefined) return `table/${printIdentifier({ namespace: parts, name: table })}`;
  if (view !== undefined) return `view/${printIdentifier({ namespace: parts, name: view })}`;
  return `namespace/${printNamespace(parts)}`;
}
