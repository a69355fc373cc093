import { DatabaseError } from 'pg';
import { IcecoreError } from '../../errors.ts';
import { catalogBusyMsMax } from '../../limits.ts';

/**
 * What went wrong with a statement. `lost`: the connection, or the server behind it, is gone or going; `repeatable`: the transaction lost
 * against another and can be made again; `data`: Postgres cannot store what it was given; `defect`: none of its doing.
 */
export type Trouble = 'lost' | 'repeatable' | 'locked' | 'slow' | 'full' | 'readOnly' | 'data' | 'other' | 'defect';

const troubles: Readonly<Record<string, Trouble>> = {
  '25P03': 'lost', // idle_in_transaction_session_timeout
  '53300': 'lost', // too_many_connections
  '57P01': 'lost', // admin_shutdown
  '57P02': 'lost', // crash_shutdown
  '57P03': 'lost', // cannot_connect_now
  '57P05': 'lost', // idle_session_timeout
  '40001': 'repeatable', // serialization_failure
  '40P01': 'repeatable', // deadlock_detected
  '55P03': 'locked', // lock_not_available
  '57014': 'slow', // query_canceled
  '53100': 'full', // disk_full
  '25006': 'readOnly', // read_only_sql_transaction
};

const troublesOfClass: Readonly<Record<string, Trouble>> = { '08': 'lost', '22': 'data', '54': 'data' };

export function troubleOf(error: unknown): Trouble {
  if (error instanceof DatabaseError) {
    const code = error.code ?? '';
    return troubles[code] ?? troublesOfClass[code.slice(0, 2)] ?? 'other';
  }
  // What the driver and the socket throw are plain errors.
  if (IcecoreError.is(error) || error instanceof TypeError || error instanceof RangeError) return 'defect';
  return error instanceof Error ? 'lost' : 'defect';
}

/** What a caller hears of it, where it is certain that nothing was written. `printed` names the database. */
export function nothingWritten(error: unknown, printed: string): unknown {
  const trouble = troubleOf(error);
  const context = { catalog: printed };
  const overloaded = (message: string) => new IcecoreError('OVERLOADED', message, { context, cause: error, retryable: true });
  switch (trouble) {
    case 'lost':
      return overloaded(
        `The catalog at ${printed} cannot be reached (${reasonOf(error)}); nothing was written. Repeat the call.`,
      );
    case 'locked':
    case 'repeatable':
      return overloaded(
        `Other servers held the write lock of the catalog at ${printed} for ${catalogBusyMsMax / 1000} s; nothing was written. Repeat the call.`,
      );
    case 'slow':
      return overloaded(`The catalog at ${printed} took too long; nothing was written. Repeat the call.`);
    case 'full':
      return overloaded(`The disk under the catalog at ${printed} is full; nothing was written. Free space and repeat the call.`);
    case 'readOnly':
      return new IcecoreError(
        'FAILED_PRECONDITION',
        `The catalog at ${printed} takes no writes: it is a standby, or set to read-only. Name the primary with --catalog.`,
        { context, cause: error },
      );
    case 'data':
      return new IcecoreError(
        'BAD_USER_INPUT',
        `The catalog at ${printed} cannot store this: ${error instanceof Error ? error.message : error}.`,
        { context, cause: error },
      );
    case 'other':
      return new IcecoreError('INTERNAL', `The catalog at ${printed} could not be used; nothing was written.`, {
        context,
        cause: error,
      });
    case 'defect':
      return error;
  }
}

/** A commit of which it could not be learnt in time whether it happened. INTERNAL: nobody may take it for a refusal. */
export function inDoubt(error: unknown, printed: string): IcecoreError {
  return new IcecoreError(
    'INTERNAL',
    `The connection to the catalog at ${printed} was lost during a commit, and it could not be learnt whether it happened: ` +
      'read before you repeat it, or repeat it under the same idempotency key.',
    { context: { catalog: printed }, cause: error },
  );
}

/** The reason in a word or a line. The driver's messages hold no password. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a host with several addresses each has failed in its own way; the first says enough.
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' && !(error instanceof DatabaseError) ? error.code : error.message;
}
