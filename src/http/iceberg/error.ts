import type { ErrorCode } from '../../errors.ts';
import { printJson } from '../../iceberg/json.ts';
import { restErrorCharactersMax } from '../../limits.ts';
import { type Problem, problemOf } from '../problem.ts';
import type { IcebergAnswer } from './answer.ts';

interface Kind {
  readonly status: number;
  /** By which clients tell what to throw: the names of the reference implementation's exceptions. */
  readonly type: string;
}

const kinds: Readonly<Record<ErrorCode, Kind>> = {
  BAD_USER_INPUT: { status: 400, type: 'BadRequestException' },
  UNAUTHENTICATED: { status: 401, type: 'NotAuthorizedException' },
  FORBIDDEN: { status: 403, type: 'ForbiddenException' },
  NOT_FOUND: { status: 404, type: 'NotFoundException' },
  ALREADY_EXISTS: { status: 409, type: 'AlreadyExistsException' },
  CONFLICT: { status: 409, type: 'CommitFailedException' },
  PINNED: { status: 409, type: 'CommitFailedException' },
  FAILED_PRECONDITION: { status: 400, type: 'ValidationException' },
  COST_EXCEEDED: { status: 400, type: 'BadRequestException' },
  TIMEOUT: { status: 504, type: 'ServiceUnavailableException' },
  OVERLOADED: { status: 503, type: 'ServiceUnavailableException' },
  INTERNAL: { status: 500, type: 'ServiceFailureException' },
};

/** What a NOT_FOUND says is `missing`. */
const missing: Readonly<Record<string, string>> = {
  table: 'NoSuchTableException',
  view: 'NoSuchViewException',
  namespace: 'NoSuchNamespaceException',
  warehouse: 'NoSuchWarehouseException',
  endpoint: 'NoSuchEndpointException',
  plan: 'NoSuchPlanIdException',
  planTask: 'NoSuchPlanTaskException',
};

/** Operations that commit: of those that end in none of the refusals it is not known whether they happened. */
const commits: ReadonlySet<string> = new Set(['createTable', 'updateTable', 'commitTransaction', 'replaceView']);

/**
 * A failure as the specification's `ErrorModel`, never with its stack. `operation` is the route's, null where none was found.
 */
export function errorAnswer(error: unknown, operation: string | null): IcebergAnswer {
  const problem = problemOf(error);
  const { status, type } = kindOf(problem, operation);
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 503 || status === 429) headers['retry-after'] = '1';
  if (status === 405) headers.allow = listOf(problem.context.allowed).join(', ');
  return { status, headers, body: printJson({ error: { message: shortened(problem.message), type, code: status } }) };
}

/** Without its middle where it is long: the name of the thing stands at the beginning, what is wrong with it at the end. */
function shortened(message: string): string {
  if (message.length <= restErrorCharactersMax) return message;
  return `${message.slice(0, restErrorCharactersMax / 2)}…${message.slice(-restErrorCharactersMax / 2)}`;
}

function kindOf({ code, context }: Problem, operation: string | null): Kind {
  const kind = kinds[code];
  if (code === 'BAD_USER_INPUT' && Array.isArray(context.allowed)) return { status: 405, type: 'MethodNotAllowedException' };
  if (code === 'BAD_USER_INPUT' && context.unprocessable === true) return { status: 422, type: 'UnprocessableEntityException' };
  // What Java's builders of views refuse before anything is sent, its clients expect of a server too.
  if (code === 'BAD_USER_INPUT' && context.isIllegalArgument === true) return { ...kind, type: 'IllegalArgumentException' };
  if (code === 'BAD_USER_INPUT' && context.unsupported === true) return { status: 406, type: 'UnsupportedOperationException' };
  if (code === 'FAILED_PRECONDITION' && context.notEmpty === true) return { status: 409, type: 'NamespaceNotEmptyException' };
  if (code === 'NOT_FOUND' && typeof context.missing === 'string') {
    return { ...kind, type: missing[context.missing] ?? kind.type };
  }
  // Of a commit 503 would mean that it may have happened.
  const isCommit = operation !== null && commits.has(operation);
  if (code === 'OVERLOADED' && isCommit) return { status: 429, type: 'TooManyRequestsException' };
  const isUnknown = code === 'INTERNAL' || code === 'TIMEOUT';
  if (isUnknown && isCommit) return { ...kind, type: 'CommitStateUnknownException' };
  return kind;
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
