import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';

export function viewMissing(identifier: TableIdentifier): IcecoreError {
  const view = printIdentifier(identifier);
  return new IcecoreError('NOT_FOUND', `The view ${view} does not exist.`, { context: { view, missing: 'view' } });
}
