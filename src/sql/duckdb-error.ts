import { IcecoreError } from '../errors.ts';
import { isInvalidated } from './engine.ts';

/** What DuckDB puts before the colon of a message, and whose fault that is. The rest is our own: INTERNAL. */
const callersFault = new Set([
  'Parser Error',
  'Binder Error',
  'Catalog Error',
  'Conversion Error',
  'Out of Range Error',
  'Invalid Input Error',
  'Mismatch Type Error',
  'Invalid type Error',
  'Expression too deep Error',
  'Not implemented Error',
  'Constraint Error',
  'Divide by Zero Error',
]);

/** The message without its class and without the picture of the statement, whose text is not always the caller's. */
function firstLines(message: string): string {
  const body = message.slice(message.indexOf(':') + 1).trim();
  const picture = body.search(/\n\s*LINE \d+:/);
  // Catalogs that stand for a statement's tables are ours; the caller knows them without.
  return (picture < 0 ? body : body.slice(0, picture)).trim().replaceAll(/"?icecore_\d+_\d+"?\./g, '');
}

/**
 * An error of DuckDB in the terms of semantics, section 9: the caller's own (BAD_USER_INPUT), too little memory (OVERLOADED),
 * interrupted (TIMEOUT), or ours (INTERNAL). `what` names the thing, such as `The SELECT`. Any other error is given back as it is.
 */
export function duckDbError(error: unknown, what: string): unknown {
  if (!(error instanceof Error) || error instanceof IcecoreError || error.name === 'AbortError') return error;
  const message = error.message.replace(/^Failed to extract statements: /, '');
  const kind = message.slice(0, Math.max(0, message.indexOf(':')));
  const text = firstLines(message);
  if (isInvalidated(error)) {
    return new IcecoreError(
      'OVERLOADED',
      `${what} was cut off by an error within the engine, which has been started anew. Try again.`,
      {
        cause: error,
        retryable: true,
      },
    );
  }
  if (callersFault.has(kind)) return new IcecoreError('BAD_USER_INPUT', `${what} cannot be run: ${text}`, { cause: error });
  if (kind === 'INTERRUPT Error') return new IcecoreError('TIMEOUT', `${what} was interrupted.`, { cause: error });
  if (kind === 'Out of Memory Error') {
    return new IcecoreError('OVERLOADED', `${what} needs more memory than the server gives one statement. Narrow it.`, {
      cause: error,
    });
  }
  if (/^[A-Za-z ]+ Error$/.test(kind)) return new IcecoreError('INTERNAL', `${what} failed.`, { cause: error });
  return error;
}
