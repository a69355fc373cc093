import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';

/** Refusals in the words of the reference implementation, which clients and their tests look for. */

/** The parts with dots between them, as the reference writes names in messages: a dot inside a part is not told apart. */
export function plainName({ namespace, name }: TableIdentifier): string {
  return [...namespace, name].join('.');
}

export function noSuchNamespace(parts: readonly string[]): IcecoreError {
  const namespace = parts.join('.');
  return new IcecoreError('NOT_FOUND', `Namespace does not exist: ${namespace}`, {
    context: { namespace, missing: 'namespace' },
  });
}

export function namespaceExists(parts: readonly string[]): IcecoreError {
  const namespace = parts.join('.');
  return new IcecoreError('ALREADY_EXISTS', `Namespace already exists: ${namespace}`, {
    context: { namespace, exists: 'namespace' },
  });
}

export function noSuchTable(identifier: TableIdentifier): IcecoreError {
  const table = plainName(identifier);
  return new IcecoreError('NOT_FOUND', `Table does not exist: ${table}`, { context: { table, missing: 'table' } });
}

export function tableExists(identifier: TableIdentifier): IcecoreError {
  const table = plainName(identifier);
  return new IcecoreError('ALREADY_EXISTS', `Table already exists: ${table}`, { context: { table, exists: 'table' } });
}

/** Of a commit that creates its table (`assert-create`). */
export function alreadyCreated(identifier: TableIdentifier): IcecoreError {
  return new IcecoreError('CONFLICT', 'Requirement failed: table already exists', {
    context: { requirement: 'assert-create', table: plainName(identifier) },
  });
}

/** Of a table that is to be made, or renamed where `from` is given. */
export function viewHasName(identifier: TableIdentifier, from?: TableIdentifier): IcecoreError {
  const view = plainName(identifier);
  const message =
    from === undefined
      ? `View with same name already exists: ${view}`
      : `Cannot rename ${plainName(from)} to ${view}. View already exists`;
  return new IcecoreError('ALREADY_EXISTS', message, { context: { view, exists: 'view' } });
}

/** What the catalog says when a race was lost after the checks, in the same words. `identifier` is that of what was to be made. */
export function inReferenceWords(error: unknown, identifier: TableIdentifier): unknown {
  if (!IcecoreError.is(error)) return error;
  const { code, context } = error;
  if (code === 'ALREADY_EXISTS' && context.exists === 'table') return tableExists(identifier);
  if (code === 'ALREADY_EXISTS' && context.exists === 'view') return viewHasName(identifier);
  if (code === 'NOT_FOUND' && context.missing === 'namespace') return noSuchNamespace(identifier.namespace);
  return error;
}

export function noSuchView(identifier: TableIdentifier): IcecoreError {
  const view = plainName(identifier);
  return new IcecoreError('NOT_FOUND', `View does not exist: ${view}`, { context: { view, missing: 'view' } });
}

export function viewExists(identifier: TableIdentifier): IcecoreError {
  const view = plainName(identifier);
  return new IcecoreError('ALREADY_EXISTS', `View already exists: ${view}`, { context: { view, exists: 'view' } });
}

export function tableHasName(identifier: TableIdentifier): IcecoreError {
  const table = plainName(identifier);
  return new IcecoreError('ALREADY_EXISTS', `Table with same name already exists: ${table}`, {
    context: { table, exists: 'table' },
  });
}

/** Of a metadata file that is gone. */
export function noSuchFile(location: string): IcecoreError {
  return new IcecoreError('NOT_FOUND', `Failed to open input stream for file: ${location}`, { context: { location } });
}
