/** Why an operation was refused, as clients see it in `extensions.code` (semantics, section 9). */
export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'CONFLICT'
  | 'PINNED'
  | 'FAILED_PRECONDITION'
  | 'COST_EXCEEDED'
  | 'TIMEOUT'
  | 'OVERLOADED'
  | 'INTERNAL';

export interface ErrorDetails {
  /** What the error is about, in machine-readable form: table names, snapshot ids, limits. Shown to the caller. */
  readonly context?: Readonly<Record<string, unknown>>;
  /** Kept for the log, never shown. */
  readonly cause?: unknown;
  /** True where the same call may succeed if made again, such as a lost race between two commits. */
  readonly retryable?: boolean;
}

/**
 * The one error that domain code throws. The message names the thing, says what is wrong and what would be right.
 * `http/` alone turns it into GraphQL errors, HTTP statuses and exit codes.
 */
export class IcecoreError extends Error {
  override readonly name = 'IcecoreError';
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.context = details.context ?? {};
    this.retryable = details.retryable ?? false;
  }

  static is(error: unknown, code?: ErrorCode): error is IcecoreError {
    return error instanceof IcecoreError && (code === undefined || error.code === code);
  }
}
