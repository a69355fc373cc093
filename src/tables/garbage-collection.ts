import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';

/** Whether files that a table does not need any more may be removed (spec: `gc.enabled`): false where they may be another table's as well. */
export function collectsGarbage({ properties }: Pick<TableMetadata, 'properties'>): boolean {
  return properties['gc.enabled']?.toLowerCase() !== 'false';
}

/** Throws FAILED_PRECONDITION where they may not, in the reference's words. `what` begins the message: `Cannot purge table raw.flights`. */
export function requireGarbageCollection(metadata: Pick<TableMetadata, 'properties'>, what: string, cure: string): void {
  if (collectsGarbage(metadata)) return;
  throw new IcecoreError('FAILED_PRECONDITION', `${what}: GC is disabled (deleting files may corrupt other tables). ${cure}`);
}
