import { IcecoreError } from '../src/errors.ts';

/** What a field answers whose work nobody has built yet: FAILED_PRECONDITION, never a pretence. */
export function notBuilt(what: string): never {
  throw new IcecoreError('FAILED_PRECONDITION', `${what} is not built yet.`, { context: { notBuilt: what } });
}
