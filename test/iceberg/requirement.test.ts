import { describe, expect, it } from 'vitest';
import { checkRequirements } from '../../src/iceberg/requirement.ts';
import type { TableRequirement } from '../../src/iceberg/table-update.ts';
import { append, newFlights, tag } from './sample-metadata.ts';

const table = tag(append(newFlights(), [11n, 2000]), 'v1', 11n);

describe('requirements', () => {
  it('that hold let the commit through', () => {
    checkRequirements(table, [
      { type: 'assert-table-uuid', uuid: table.tableUuid.toUpperCase() },
      { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 11n },
      { type: 'assert-ref-snapshot-id', ref: 'constructor', snapshotId: null },
      { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 7 },
      { type: 'assert-current-schema-id', currentSchemaId: 0 },
      { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1000 },
      { type: 'assert-default-spec-id', defaultSpecId: 0 },
      { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
    ]);
    checkRequirements(null, [{ type: 'assert-create' }, { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: null }]);
  });

  const failures: readonly (readonly [TableRequirement, string, boolean])[] = [
    [{ type: 'assert-create' }, 'table already exists', false],
    [{ type: 'assert-table-uuid', uuid: 'other' }, `UUID does not match: expected ${table.tableUuid} != other`, false],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 10n }, 'branch main has changed: expected id 10 != 11', true],
    [{ type: 'assert-ref-snapshot-id', ref: 'v1', snapshotId: null }, 'tag v1 was created concurrently', true],
    [{ type: 'assert-ref-snapshot-id', ref: 'gone', snapshotId: 1n }, 'branch or tag gone is missing, expected 1', true],
    [
      { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 6 },
      'last assigned field id changed: expected id 6 != 7',
      true,
    ],
    [{ type: 'assert-current-schema-id', currentSchemaId: 1 }, 'current schema changed: expected id 1 != 0', true],
    [
      { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 999 },
      'last assigned partition id changed: expected id 999 != 1000',
      true,
    ],
    [{ type: 'assert-default-spec-id', defaultSpecId: 3 }, 'default partition spec changed: expected id 3 != 0', true],
    [{ type: 'assert-default-sort-order-id', defaultSortOrderId: 1 }, 'default sort order changed: expected id 1 != 0', true],
  ];
  it.each(failures.map(([requirement, text, retryable]) => ({ requirement, text, retryable })))(
    'say what failed: $text',
    ({ requirement, text, retryable }) => {
      expect(() => checkRequirements(table, [requirement])).toThrow(
        expect.objectContaining({ code: 'CONFLICT', message: `Requirement failed: ${text}`, retryable }),
      );
    },
  );

  it('of a table that does not exist fail', () => {
    expect(() => checkRequirements(null, [{ type: 'assert-table-uuid', uuid: 'x' }])).toThrow('table does not exist');
  });
});
