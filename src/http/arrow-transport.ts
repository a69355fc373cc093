import { createSourceEventStream, type ExecutionResult, type GraphQLSchema, getNamedType, getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { IcecoreError } from '../errors.ts';
import { arrowResponseStallMsMax } from '../limits.ts';
import { type ArrowEvent, arrowBody, type EncodedEvent } from './arrow-body.ts';
import { graphqlError } from './graphql-error.ts';
import { problemOf, statusOf } from './problem.ts';
import type { RequestContext, ServerContext } from './request-context.ts';

export const arrowStreamType = 'application/vnd.apache.arrow.stream';

/**
 * Subscriptions of batches as one raw Arrow IPC stream, for clients that accept that type. Anything that fails before the first batch is
 * answered as JSON with a status; later failures reset the connection, which is the only way to say so in HTTP/1.1: a stream that
 * is merely ended would be read as whole.
 */
export function arrowTransport(schema: GraphQLSchema): Plugin<RequestContext, ServerContext> {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      const operation = getOperationAST(args.document, args.operationName);
      const field = operation?.selectionSet.selections[0];
      if (!acceptsArrow(args.contextValue.request) || field?.kind !== Kind.FIELD) return;
      const type = schema.getSubscriptionType()?.getFields()[field.name.value]?.type;
      if (type === undefined || !['TrainingBatch', 'SqlBatch'].includes(getNamedType(type).name)) return;
      // The events themselves, not what the selection makes of them: their bytes go out as they are.
      setSubscribeFn(createSourceEventStream);
    },
    onResultProcess({ request, result, serverContext, setResultProcessor }) {
      if (!acceptsArrow(request)) return;
      if (!isAsyncIterable(result)) {
        if (acceptsJson(request) && holdsData(result)) return;
        setResultProcessor((failed, fetchAPI) => jsonResponse(failed, fetchAPI.Response), 'application/graphql-response+json');
        return;
      }
      setResultProcessor((events, fetchAPI) => {
        if (!isAsyncIterable(events)) return jsonResponse(events, fetchAPI.Response);
        return streamResponse(events, serverContext, fetchAPI.Response);
      }, arrowStreamType);
    },
  };
}

async function streamResponse(
  events: AsyncIterable<unknown>,
  server: ServerContext | undefined,
  Response: typeof globalThis.Response,
): Promise<Response> {
  const iterator = events[Symbol.asyncIterator]();
  // The first batch decides between a status with errors and a stream.
  let first: IteratorResult<unknown>;
  try {
    first = await iterator.next();
    if (first.done !== true) arrowEvent(first.value);
  } catch (error) {
    await iterator.return?.();
    return jsonResponse({ errors: [graphqlError(error, { withStatus: true })] }, Response);
  }
  const body = arrowBody(mapped(first, iterator), () => server?.res.writableLength === 0);
  // Without a listener the error would end the process; with it the client sees its connection reset.
  body.once('error', (error) => {
    if (server?.res.headersSent) problemOf(error);
    server?.res.destroy(error);
  });
  server?.res.setTimeout(arrowResponseStallMsMax, () => body.destroy(new Error('The client has taken nothing for too long.')));
  server?.res.once('close', () => body.destroy());
  return new Response(body as unknown as BodyInit, { headers: { 'content-type': arrowStreamType, 'cache-control': 'no-store' } });
}

function mapped(first: IteratorResult<unknown>, rest: AsyncIterator<unknown>): AsyncIterator<ArrowEvent | EncodedEvent> {
  let begun = false;
  return {
    async next() {
      const step = begun ? await rest.next() : first;
      begun = true;
      return step.done === true ? { done: true, value: undefined } : { done: false, value: arrowEvent(step.value) };
    },
    async return() {
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
}

/** The batch of an event; throws what an event holds in place of one. */
function arrowEvent(event: unknown): ArrowEvent | EncodedEvent {
  if (typeof event === 'object' && event !== null) {
    if ('recordBatch' in event && 'metadata' in event && 'last' in event) return event as ArrowEvent;
    if ('message' in event && 'schemaMessage' in event && 'last' in event) return event as EncodedEvent;
    if ('errors' in event && Array.isArray(event.errors)) throw event.errors[0];
  }
  throw noArrowForm();
}

function jsonResponse(result: unknown, Response: typeof globalThis.Response): Response {
  const errors = (result as ExecutionResult).errors;
  const refusals = (errors ?? [noArrowForm()]).map((error) => graphqlError(error));
  const [refusal] = refusals;
  const status = errors === undefined || refusal === undefined ? 406 : statusOf(problemOf(refusal).code);
  const body = {
    errors: refusals.map(({ message, locations, path, extensions: { http: _, ...extensions } }) => ({
      message,
      locations,
      path,
      extensions,
    })),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/graphql-response+json; charset=utf-8' },
  });
}

function noArrowForm(): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `Only subscriptions of batches have the form ${arrowStreamType}: accept application/json, or text/event-stream for other subscriptions.`,
  );
}

const jsonTypes: readonly string[] = ['application/json', 'application/graphql-response+json', 'application/*', '*/*'];

function acceptsArrow(request: Request): boolean {
  return acceptedTypes(request).includes(arrowStreamType);
}

function acceptsJson(request: Request): boolean {
  return acceptedTypes(request).some((type) => jsonTypes.includes(type));
}

function acceptedTypes(request: Request): readonly string[] {
  const accept = request.headers.get('accept') ?? '';
  return accept.split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase());
}

function holdsData(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'data' in result && result.data != null;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
