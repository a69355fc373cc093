import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { IcecoreError } from '../errors.ts';
import type { Icecore } from '../icecore.ts';
import { requestBodyMsMax } from '../limits.ts';
import { asksForPage, GraphiqlPage } from './graphiql.ts';
import { graphqlEndpoint, graphqlPath } from './graphql.ts';
import { icebergEndpoint, isIcebergRequest } from './iceberg/endpoint.ts';
import { answerJson, answerProblem } from './json-answer.ts';
import { checkJsonBody, checkLoopbackOrigin } from './origin-guard.ts';
import { answerRowsUpload, rowsTableOf } from './rows-endpoint.ts';

export interface ListenerOptions {
  /** A key that GraphiQL's headers are filled with. */
  readonly graphiqlKey?: string | undefined;
  readonly isDraining: () => boolean;
}

/** Which part of the server answers a request, by its path. */
export function listener(icecore: Icecore, { graphiqlKey, isDraining }: ListenerOptions): RequestListener {
  const graphql = graphqlEndpoint(icecore);
  const iceberg = icebergEndpoint(icecore);
  const graphiql = new GraphiqlPage(graphiqlKey);

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (isIcebergRequest(req)) return iceberg(req, res);
    const pathname = URL.parse(req.url ?? '/', 'http://host')?.pathname;
    if (pathname === undefined) throw new IcecoreError('BAD_USER_INPUT', 'The address of the request is malformed.');
    if (pathname === '/health' || pathname === '/health/live') return answerJson(res, 200, { status: 'ok' });
    if (pathname === '/health/ready') return answerReadiness(icecore, res, isDraining());
    if (!icecore.keys.inForce) checkLoopbackOrigin(req);
    if (pathname === '/') {
      res.writeHead(307, { location: graphqlPath });
      res.end();
      return;
    }
    if (pathname === graphqlPath) {
      if (asksForPage(req)) return graphiql.answer(req, res);
      return answerGraphql(req, res);
    }
    const table = rowsTableOf(pathname);
    if (table !== null) return answerRowsUpload(icecore, table, req, res);
    throw new IcecoreError('NOT_FOUND', `There is nothing at ${pathname}; the API is at ${graphqlPath}.`);
  }

  async function answerGraphql(req: IncomingMessage, res: ServerResponse): Promise<void> {
    try {
      checkJsonBody(req);
    } catch (error) {
      return answerProblem(res, error, 415);
    }
    const late = setTimeout(() => req.destroy(), requestBodyMsMax);
    req.once('end', () => clearTimeout(late)).once('close', () => clearTimeout(late));
    await graphql(req, res);
  }

  return (req, res) => {
    // Nobody sees anything until it is known who asks.
    icecore.access.asNobody(() => answer(req, res)).catch((error: unknown) => answerProblem(res, error));
  };
}

async function answerReadiness(icecore: Icecore, res: ServerResponse, draining: boolean): Promise<void> {
  if (draining) return answerJson(res, 503, { status: 'draining' });
  try {
    await icecore.checkReady();
    answerJson(res, 200, { status: 'ok' });
  } catch (error) {
    answerProblem(res, error, 503);
  }
}
