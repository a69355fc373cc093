import { IcecoreError } from '../errors.ts';
import { printIdentifier, printNamespace } from '../iceberg/identifier.ts';
import type { Fence, Guard, IdempotencyRecord, LeaseHolder, PointerChange, TablePointer } from './catalog.ts';

/** Tables and views share their names; each is found only as what it is. */
export type PointerKind = 'table' | 'view';

/** Why a catalog refuses a change: the same words whatever stands behind it. */

/** ALREADY_EXISTS: a table or a view has the name. */
export function nameTaken(printed: string, exists: PointerKind): IcecoreError {
  return new IcecoreError('ALREADY_EXISTS', `The ${exists} ${printed} already exists.`, {
    context: { [exists]: printed, exists },
  });
}

/** ALREADY_EXISTS. Which has the uuid is not for everybody to know. */
export function uuidTaken(kind: PointerKind, printed: string, uuid: string): IcecoreError {
  return new IcecoreError('ALREADY_EXISTS', `The ${kind} ${printed} cannot be created with uuid ${uuid}: another has it.`, {
    context: { [kind]: printed, uuid },
  });
}

/** CONFLICT, retryable: the pointer is not, or no longer, where the change expects it; `found` is what is there, of the same kind. */
export function pointerMoved(
  kind: PointerKind,
  change: PointerChange & { kind: 'swap' | 'drop' },
  found: TablePointer | null,
): IcecoreError {
  const printed = printIdentifier(change.identifier);
  const how =
    found === null
      ? 'is no longer there'
      : found.uuid === change.uuid
        ? 'was changed by another commit'
        : `was dropped and another ${kind} has its name`;
  return new IcecoreError('CONFLICT', `The ${kind} ${printed} ${how} since it was read: read it again and repeat the change.`, {
    context: { [kind]: printed, expected: change.from, found: found?.metadataLocation ?? null },
    retryable: true,
  });
}

/** NOT_FOUND. */
export function namespaceMissing(parts: readonly string[]): IcecoreError {
  const namespace = printNamespace(parts);
  return new IcecoreError('NOT_FOUND', `The namespace ${namespace} does not exist.`, {
    context: { namespace, missing: 'namespace' },
  });
}

/** ALREADY_EXISTS. */
export function namespaceExists(parts: readonly string[]): IcecoreError {
  const namespace = printNamespace(parts);
  return new IcecoreError('ALREADY_EXISTS', `The namespace ${namespace} already exists.`, {
    context: { namespace, exists: 'namespace' },
  });
}

/** FAILED_PRECONDITION; `held` is something that it holds, such as `table raw.flights`. */
export function namespaceNotEmpty(parts: readonly string[], held: string): IcecoreError {
  const namespace = printNamespace(parts);
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The namespace ${namespace} is not empty: it holds the ${held}. Drop that first.`,
    { context: { namespace, notEmpty: true } },
  );
}

/** CONFLICT, retryable: `found` is the number of the subject's newest entry. */
export function subjectChanged(guard: Guard, found: bigint): IcecoreError {
  return new IcecoreError(
    'CONFLICT',
    `${guard.subject} was changed by somebody else (entry ${found}, read at ${guard.seq}): read it again and repeat the change.`,
    { context: { subject: guard.subject, expected: guard.seq.toString(), found: found.toString() }, retryable: true },
  );
}

/** CONFLICT, retryable: the repeated call finds the stored answer. */
export function keyUsed(record: IdempotencyRecord): IcecoreError {
  return new IcecoreError(
    'CONFLICT',
    `The idempotency key '${record.key}' was used by another call meanwhile: repeat the call to get its answer.`,
    { context: { idempotencyKey: record.key }, retryable: true },
  );
}

/** CONFLICT: `held` is who holds the lease now. */
export function leaseLost(fence: Fence, held: LeaseHolder | null): IcecoreError {
  return new IcecoreError(
    'CONFLICT',
    `The lease ${fence.lease} is no longer held under fencing number ${fence.fence}: ` +
      `${held === null ? 'it lapsed' : 'another owner took it over'}, so this work is not recorded.`,
    { context: { lease: fence.lease, fence: fence.fence.toString() } },
  );
}

/** OVERLOADED, retryable: another server, or this one once it is back, may take the call. */
export function catalogClosed(): IcecoreError {
  return new IcecoreError('OVERLOADED', 'The catalog is closed: the server is shutting down.', { retryable: true });
}

/** OVERLOADED, retryable. */
export function tooManyWaiting(waiting: number): IcecoreError {
  return new IcecoreError('OVERLOADED', `${waiting} calls already wait for the catalog: repeat the call later.`, {
    retryable: true,
  });
}
