import { IcecoreError } from '../../errors.ts';
import type { PlainFailure } from './feed-worker-messages.ts';

/** An error of a worker in a form that crosses to the main thread; what is no `IcecoreError` is INTERNAL. */
export function plainFailure(error: unknown): PlainFailure {
  const stack = error instanceof Error ? error.stack : undefined;
  if (IcecoreError.is(error)) {
    const { code, message, retryable, context } = error;
    return { code, message, retryable, context: plainContext(context), stack };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { code: 'INTERNAL', message: `A worker of the training feeds failed: ${reason}`, retryable: false, context: {}, stack };
}

/** The same on the main thread; the worker's stack is its cause. */
export function failureError({ code, message, retryable, context, stack }: PlainFailure): IcecoreError {
  return new IcecoreError(code, message, { context, retryable, cause: stack });
}

/** What does not clone is left out. */
function plainContext(context: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isPlain = (value: unknown) => ['string', 'number', 'boolean', 'bigint'].includes(typeof value) || value === null;
  return Object.fromEntries(Object.entries(context).filter(([, value]) => isPlain(value)));
}
