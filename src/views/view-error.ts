import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';

/** A name as the reference implementation's messages have it, which clients look for: bare parts with dots between. */
export function plainName({ namespace, name }: TableIdentifier): string {
  return [...namespace, name].join('.');
}

export function viewMissing(identifier: TableIdentifier): IcecoreError {
  const view = plainName(identifier);
  return new IcecoreError('NOT_FOUND', `View does not exist: ${view}`, { context: { view, missing: 'view' } });
}

export function namespaceMissing(parts: readonly string[]): IcecoreError {
  const namespace = parts.join('.');
  return new IcecoreError('NOT_FOUND', `Namespace does not exist: ${namespace}`, {
    context: { namespace, missing: 'namespace' },
  });
}

/** What stood in the way of a new view, in the reference's words; any other error as it is. */
export function creationRefused(error: unknown, identifier: TableIdentifier): unknown {
  if (!IcecoreError.is(error)) return error;
  const { context } = error;
  if (context.missing === 'namespace') return namespaceMissing(identifier.namespace);
  if (context.exists === 'view') return taken(`View already exists: ${plainName(identifier)}`, error);
  if (context.exists === 'table') return taken(`Table with same name already exists: ${plainName(identifier)}`, error);
  return error;
}

/** The same of a view that is to have another name. */
export function renameRefused(error: unknown, from: TableIdentifier, to: TableIdentifier): unknown {
  if (!IcecoreError.is(error)) return error;
  const { context } = error;
  if (context.missing === 'namespace') return namespaceMissing(to.namespace);
  if (context.exists !== 'view' && context.exists !== 'table') return error;
  const what = context.exists === 'view' ? 'View' : 'Table';
  return taken(`Cannot rename ${plainName(from)} to ${plainName(to)}. ${what} already exists`, error);
}

function taken(message: string, cause: IcecoreError): IcecoreError {
  return new IcecoreError('ALREADY_EXISTS', message, { context: cause.context, cause });
}
