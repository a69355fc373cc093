import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { toJson } from '../../schema/json.ts';
import { type ErrorCode, IcecoreError } from '../errors.ts';
import { requestBodyBytesMax } from '../limits.ts';

const bodyTooLarge = `The body of a request may have ${requestBodyBytesMax} bytes. Write rows in bulk as an Arrow stream, by POST /tables/NAME/rows, or name a file.`;

const statuses: Readonly<Record<ErrorCode, number>> = {
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  PINNED: 409,
  FAILED_PRECONDITION: 412,
  COST_EXCEEDED: 400,
  TIMEOUT: 504,
  OVERLOADED: 503,
  INTERNAL: 500,
};

/** What a client is told of a failure (semantics, section 9), in every protocol. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly context: Readonly<Record<string, unknown>>;
}

/** The HTTP status where there is no GraphQL result to hold the error. */
export function statusOf(code: ErrorCode): number {
  return statuses[code];
}

/** Domain errors as they are; anything else as INTERNAL with a reference, under which the log (stderr) has the whole of it. */
export function problemOf(error: unknown): Problem {
  const cause = innermost(error);
  if (IcecoreError.is(cause)) {
    if (cause.code === 'INTERNAL') return internal(cause);
    return {
      code: cause.code,
      message: messageOf(error, cause),
      context: toJson(cause.context) as Readonly<Record<string, unknown>>,
    };
  }
  if (cause instanceof DOMException && cause.name === 'AbortError') {
    // Whoever asked has left: nobody reads this, and it is nothing for the log.
    return { code: 'TIMEOUT', message: 'The client has left before the answer was complete.', context: {} };
  }
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return {
      code: 'TIMEOUT',
      message: 'The operation took longer than this server allows; ask for less at a time.',
      context: {},
    };
  }
  if (cause instanceof GraphQLError) {
    const { http, code, ...context } = cause.extensions;
    if (http?.status === 413) return { code: 'BAD_USER_INPUT', message: bodyTooLarge, context };
    return { code: isErrorCode(code) ? code : 'BAD_USER_INPUT', message: messageOf(error, cause), context };
  }
  return internal(cause);
}

/** What was thrown in the beginning, out of the GraphQL errors that were put around it on the way. */
function innermost(error: unknown): unknown {
  let inner = error;
  while (inner instanceof GraphQLError && inner.originalError !== undefined) inner = inner.originalError;
  return inner;
}

/** Where GraphQL has put something before the message, it says which argument or variable is meant. */
function messageOf(outer: unknown, { message }: Error): string {
  return outer instanceof GraphQLError && outer.message.endsWith(message) ? outer.message : message;
}

function internal(error: unknown): Problem {
  const reference = randomUUID();
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(
    JSON.stringify({
      level: 'error',
      reference,
      detail,
      ...(error instanceof Error && error.cause !== undefined ? { cause: String(error.cause) } : {}),
    }),
  );
  return {
    code: 'INTERNAL',
    message: `Something went wrong in the server; its log has the details under ${reference}.`,
    context: { reference },
  };
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(statuses, code);
}
