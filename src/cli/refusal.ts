/** The API's answer that it will not. The code is as the server has it (semantics, section 9): a newer server may know more of them. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly isRetryable: boolean;

  constructor(message: string, code: string, { isRetryable = false }: { readonly isRetryable?: boolean } = {}) {
    super(message);
    this.code = code;
    this.isRetryable = isRetryable;
  }
}

/** There is no Icecore where one was looked for, or no more of it; the message says what to do. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly isRetryable: boolean;

  constructor(message: string, { cause, isRetryable = true }: { readonly cause?: unknown; readonly isRetryable?: boolean } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.isRetryable = isRetryable;
  }
}
