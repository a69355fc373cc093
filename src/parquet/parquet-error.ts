import { IcecoreError } from '../errors.ts';

/** The bytes contradict themselves or the format. `readingFile` adds the file's name. */
export function damaged(what: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `Its Parquet data is damaged: ${what}.`);
}

/** The file is right, but has something that this reader leaves to the SQL engine; `context.unsupported` names it. */
export function unsupported(what: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `${what} is nothing that Icecore's own Parquet reader knows; read it by SQL.`, {
    context: { unsupported: what },
  });
}
