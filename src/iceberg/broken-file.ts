import { IcecoreError } from '../errors.ts';

/** What `read` gives of a file's bytes. Where they are damaged, FAILED_PRECONDITION that names the file. */
export function readingFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw brokenFile(file, cause);
  }
}

/** The error of reading a file's bytes, with the file's name; any other as it is. */
function brokenFile(file: string, cause: unknown): unknown {
  // A length or a nesting that no honest file has, met by what Node itself does.
  const isBroken =
    IcecoreError.is(cause, 'FAILED_PRECONDITION') || IcecoreError.is(cause, 'BAD_USER_INPUT') || cause instanceof RangeError;
  if (!isBroken || cause.message.includes(file)) return cause;
  const context = IcecoreError.is(cause) ? cause.context : {};
  return new IcecoreError('FAILED_PRECONDITION', `The file ${file} cannot be read. ${cause.message}`, {
    context: { ...context, file },
    cause,
  });
}
