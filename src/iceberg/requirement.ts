import { IcecoreError } from '../errors.ts';
import { refByName, type TableMetadata } from './metadata.ts';
import type { TableRequirement } from './table-update.ts';

/**
 * Throws CONFLICT unless all of it holds of the metadata; `null` is a table that does not exist. The messages begin
 * "Requirement failed: " as the reference implementation's do, since clients look for them. Retryable, but for a table that
 * exists already or has become another.
 */
export function checkRequirements(metadata: TableMetadata | null, requirements: readonly TableRequirement[]): void {
  for (const requirement of requirements) {
    const failure = failureOf(metadata, requirement);
    if (failure === null) continue;
    const isFinal = requirement.type === 'assert-create' || requirement.type === 'assert-table-uuid';
    throw new IcecoreError('CONFLICT', `Requirement failed: ${failure}`, {
      context: { requirement: requirement.type },
      retryable: !isFinal,
    });
  }
}

function failureOf(metadata: TableMetadata | null, requirement: TableRequirement): string | null {
  if (requirement.type === 'assert-create') return metadata === null ? null : 'table already exists';
  if (metadata === null) {
    // A table that is being created in the same commit has nothing that these could contradict.
    const holds =
      requirement.type === 'assert-last-assigned-field-id' ||
      requirement.type === 'assert-last-assigned-partition-id' ||
      (requirement.type === 'assert-ref-snapshot-id' && requirement.snapshotId === null);
    return holds ? null : 'table does not exist';
  }
  const changed = (what: string, expected: number, actual: number) =>
    expected === actual ? null : `${what} changed: expected id ${expected} != ${actual}`;
  switch (requirement.type) {
    case 'assert-table-uuid':
      return requirement.uuid.toLowerCase() === metadata.tableUuid.toLowerCase()
        ? null
        : `UUID does not match: expected ${metadata.tableUuid} != ${requirement.uuid}`;
    case 'assert-ref-snapshot-id':
      return refFailure(metadata, requirement.ref, requirement.snapshotId);
    case 'assert-last-assigned-field-id':
      return changed('last assigned field id', requirement.lastAssignedFieldId, metadata.lastColumnId);
    case 'assert-current-schema-id':
      return changed('current schema', requirement.currentSchemaId, metadata.currentSchemaId);
    case 'assert-last-assigned-partition-id':
      return changed('last assigned partition id', requirement.lastAssignedPartitionId, metadata.lastPartitionId);
    case 'assert-default-spec-id':
      return changed('default partition spec', requirement.defaultSpecId, metadata.defaultSpecId);
    case 'assert-default-sort-order-id':
      return changed('default sort order', requirement.defaultSortOrderId, metadata.defaultSortOrderId);
  }
}

function refFailure(metadata: TableMetadata, name: string, expected: bigint | null): string | null {
  const ref = refByName(metadata, name);
  if (ref === undefined) return expected === null ? null : `branch or tag ${name} is missing, expected ${expected}`;
  if (expected === null) return `${ref.type} ${name} was created concurrently`;
  return expected === ref.snapshotId ? null : `${ref.type} ${name} has changed: expected id ${expected} != ${ref.snapshotId}`;
}
