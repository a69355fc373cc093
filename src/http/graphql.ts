import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import { schema } from '../../schema/schema.ts';
import { IcecoreError } from '../errors.ts';
import type { Icecore } from '../icecore.ts';
import { operationMsMax, requestBodyBytesMax } from '../limits.ts';
import { arrowTransport } from './arrow-transport.ts';
import { asItsCaller } from './as-its-caller.ts';
import { authenticationRequired } from './authentication.ts';
import { closedCodes } from './closed-codes.ts';
import { costLimit } from './cost-limit.ts';
import { graphqlError } from './graphql-error.ts';
import { loadersPerEvent } from './loaders-per-event.ts';
import { oneVersionPerAnswer } from './one-version-per-answer.ts';
import { parseLimit } from './parse-limit.ts';
import { type RequestContext, type ServerContext, unknownCaller } from './request-context.ts';
import { isSubscription } from './subscription.ts';

export const graphqlPath = '/graphql';

/** GraphQL over HTTP on `/graphql`: JSON, server-sent events and raw Arrow. Its own page, CORS and health check are off. */
export function graphqlEndpoint(icecore: Icecore): YogaServerInstance<ServerContext, RequestContext> {
  return createYoga<ServerContext, RequestContext>({
    schema,
    graphqlEndpoint: graphqlPath,
    // Another site's page may not read answers; its writes fail on the content type (`listener.ts`).
    cors: false,
    multipart: false,
    graphiql: false,
    landingPage: false,
    // Matched by the end of the URL, which swallows `/graphql?query=…&x=/health`; the listener has its own.
    healthCheckEndpoint: '/graphql/unused-health-check',
    batching: false,
    logging: false,
    maxRequestBodySize: requestBodyBytesMax,
    // Whatever NODE_ENV says, originals stay in the log.
    maskedErrors: { errorMessage: '', isDev: false, maskError: (error) => graphqlError(error) },
    context: ({ req, res, params }) => requestContext(icecore, { req, res }, isSubscription(params)),
    plugins: [
      closedCodes(),
      parseLimit(),
      authenticationRequired(),
      costLimit(),
      loadersPerEvent(),
      oneVersionPerAnswer(),
      arrowTransport(schema),
      // The last one is outermost: nothing of an operation runs outside of it.
      asItsCaller(),
    ],
  });
}

function requestContext(icecore: Icecore, { req, res }: ServerContext, endless: boolean): RequestContext {
  const left = new AbortController();
  res.once('close', () => left.abort());
  const signal = endless ? left.signal : AbortSignal.any([left.signal, AbortSignal.timeout(operationMsMax)]);
  try {
    return { icecore, signal, caller: icecore.keys.authenticate(req.headers.authorization), refused: null };
  } catch (error) {
    if (!IcecoreError.is(error)) throw error;
    return { icecore, signal, caller: unknownCaller, refused: error };
  }
}
