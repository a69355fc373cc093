import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';

/**
 * What a change of rows is safe from, as in the reference: `serializable`, from rows of its own that came meanwhile; `snapshot`, from such that
 * were changed or deleted.
 */
export type IsolationLevel = 'serializable' | 'snapshot';

/** `write.delete.isolation-level` and so on, serializable where it is not set. Throws FAILED_PRECONDITION for another value. */
export function isolationLevel({ properties }: TableMetadata, operation: 'delete' | 'update' | 'merge'): IsolationLevel {
  const property = `write.${operation}.isolation-level`;
  const text = Object.hasOwn(properties, property) ? properties[property] : undefined;
  const level = text?.toLowerCase() ?? 'serializable';
  if (level === 'serializable' || level === 'snapshot') return level;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The table property ${property} is ${JSON.stringify(text)}: it can be serializable or snapshot.`,
    { context: { property } },
  );
}
