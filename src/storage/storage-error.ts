import { IcecoreError } from '../errors.ts';
import type { ByteRange } from './storage.ts';

export function nothingAt(location: string): IcecoreError {
  return new IcecoreError('NOT_FOUND', `There is nothing at ${location}.`, { context: { location } });
}

export function alreadyAt(location: string): IcecoreError {
  return new IcecoreError('ALREADY_EXISTS', `There already is something at ${location}.`, { context: { location } });
}

export function outsideRoots(location: string): IcecoreError {
  return new IcecoreError(
    'FORBIDDEN',
    `The location ${location} is outside the warehouse and the allowed locations of this server.`,
    { context: { location } },
  );
}

/** Bytes that the metadata promises and the object does not have. */
export function tooShort(location: string, range: ByteRange, sizeBytes: number | null): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `${location} ${sizeBytes === null ? 'ends before them' : `holds ${sizeBytes} bytes`}, and bytes ${range.start} to ${range.end} were asked for: ` +
      'the file was cut short, or what points to it is wrong.',
    { context: { location, start: range.start, end: range.end, sizeBytes } },
  );
}

/** Throws BAD_USER_INPUT unless the range is two whole numbers in order. */
export function checkRange(location: string, range: ByteRange): void {
  if (Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0 && range.end >= range.start)
    return;
  throw new IcecoreError('BAD_USER_INPUT', `Bytes ${range.start} to ${range.end} of ${location} are no range.`, {
    context: { location, start: range.start, end: range.end },
  });
}

/** What a refusal of the file system means for the location. */
export function fileError(location: string, error: unknown): unknown {
  if (!isErrno(error)) return error;
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EISDIR':
      return nothingAt(location);
    case 'EEXIST':
      return alreadyAt(location);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ELOOP':
      return new IcecoreError('FORBIDDEN', `The server's user may not do this at ${location} (${error.code}).`, {
        context: { location },
        cause: error,
      });
    case 'ENAMETOOLONG':
      return new IcecoreError('BAD_USER_INPUT', `A name in ${location} is longer than the file system takes.`, {
        context: { location },
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new IcecoreError('OVERLOADED', `The disk is full, so ${location} was not written. Free space and repeat the call.`, {
        context: { location },
        cause: error,
      });
    default:
      return new IcecoreError('INTERNAL', `The file system failed at ${location} (${error.code}).`, {
        context: { location },
        cause: error,
      });
  }
}

export function isErrno(error: unknown, code?: string): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error && (code === undefined || error.code === code);
}
