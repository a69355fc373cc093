import { describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { parseRequirement, printRequirement } from '../../src/iceberg/requirement-json.ts';
import type { TableRequirement, TableUpdate } from '../../src/iceberg/table-update.ts';
import { parseTableUpdate, printTableUpdate } from '../../src/iceberg/table-update-json.ts';
import { append, flightsSchema, newFlights, snapshotOf } from './sample-metadata.ts';

const statistics = { snapshotId: 9223372036854775807n, json: { 'snapshot-id': 9223372036854775807n, 'statistics-path': 'p' } };

const updates: readonly TableUpdate[] = [
  { action: 'assign-uuid', uuid: 'u' },
  { action: 'upgrade-format-version', formatVersion: 3 },
  { action: 'add-schema', schema: flightsSchema, lastColumnId: 7 },
  { action: 'set-current-schema', schemaId: -1 },
  { action: 'add-spec', spec: { specId: 1, fields: [{ fieldId: 1000, sourceId: 2, name: 'ts_day', transform: 'day' }] } },
  { action: 'set-default-spec', specId: -1 },
  {
    action: 'add-sort-order',
    sortOrder: { orderId: 1, fields: [{ sourceId: 2, transform: 'identity', direction: 'desc', nullOrder: 'nulls-last' }] },
  },
  { action: 'set-default-sort-order', sortOrderId: -1 },
  { action: 'add-snapshot', snapshot: snapshotOf(newFlights(), 9223372036854775807n, 5) },
  {
    action: 'set-snapshot-ref',
    refName: 'main',
    ref: {
      type: 'branch',
      snapshotId: 9223372036854775807n,
      minSnapshotsToKeep: 2,
      maxSnapshotAgeMs: 5n,
      maxRefAgeMs: 9223372036854775807n,
    },
  },
  { action: 'remove-snapshots', snapshotIds: [1n, 9223372036854775807n] },
  { action: 'remove-snapshot-ref', refName: 'x' },
  { action: 'set-location', location: 's3://b/t' },
  { action: 'set-properties', updates: { a: 'b' } },
  { action: 'remove-properties', removals: ['a'] },
  { action: 'remove-partition-specs', specIds: [1] },
  { action: 'remove-schemas', schemaIds: [1] },
  { action: 'set-statistics', file: statistics },
  { action: 'set-partition-statistics', file: statistics },
  { action: 'remove-statistics', snapshotId: 9223372036854775807n },
  { action: 'remove-partition-statistics', snapshotId: 9223372036854775807n },
  { action: 'add-encryption-key', key: { keyId: 'k', json: { 'key-id': 'k', 'encrypted-key-metadata': 'YQ==' } } },
  { action: 'remove-encryption-key', keyId: 'k' },
];

const requirements: readonly TableRequirement[] = [
  { type: 'assert-create' },
  { type: 'assert-table-uuid', uuid: 'u' },
  { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 9223372036854775807n },
  { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: null },
  { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 7 },
  { type: 'assert-current-schema-id', currentSchemaId: 0 },
  { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1000 },
  { type: 'assert-default-spec-id', defaultSpecId: 0 },
  { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
];

describe('the wire form', () => {
  it.each(updates.map((update) => ({ action: update.action, update })))('of $action comes back', ({ update }) => {
    // Written as v2, a snapshot of v2 is whole.
    expect(parseTableUpdate(parseJson(printJson(printTableUpdate(update))))).toEqual(
      update.action === 'set-statistics' || update.action === 'set-partition-statistics'
        ? { ...update, file: statistics }
        : update,
    );
  });

  it.each(requirements.map((requirement) => ({ type: requirement.type, requirement })))(
    'of $type comes back',
    ({ requirement }) => {
      expect(parseRequirement(parseJson(printJson(printRequirement(requirement))))).toEqual(requirement);
    },
  );

  it('of before 1.0 is read too, where the name of today is not there', () => {
    expect(parseTableUpdate({ action: 'set-properties', updated: { a: 'b' } })).toEqual({
      action: 'set-properties',
      updates: { a: 'b' },
    });
    expect(parseTableUpdate({ action: 'remove-properties', removed: ['a'], removals: ['b'] })).toEqual({
      action: 'remove-properties',
      removals: ['b'],
    });
    const file = { 'snapshot-id': 5, 'statistics-path': 'p' };
    expect(parseTableUpdate({ action: 'set-statistics', 'snapshot-id': 5, statistics: file })).toEqual(
      parseTableUpdate({ action: 'set-statistics', statistics: file }),
    );
    expect(parseRequirement({ type: 'assert-ref-snapshot-id', ref: 'main' })).toEqual({
      type: 'assert-ref-snapshot-id',
      ref: 'main',
      snapshotId: null,
    });
  });

  it('refuses what it does not know', () => {
    expect(() => parseTableUpdate({ action: 'add-view-version' })).toThrow('There is no table update add-view-version.');
    expect(() => parseRequirement({ type: 'assert-view-uuid' })).toThrow('There is no table requirement assert-view-uuid.');
    expect(() => parseTableUpdate({ action: 'set-location' })).toThrow('the update set-location: "location" is missing.');
    expect(() => parseTableUpdate({ action: 'upgrade-format-version', 'format-version': 4 })).toThrow(
      /between 1 and 3, and is 4/,
    );
    expect(() => parseTableUpdate({ action: 'remove-snapshots', 'snapshot-ids': ['1'] })).toThrow(/64-bit integer/);
  });
});

describe('statistics and keys', () => {
  it('are set, replaced and removed', () => {
    const table = append(newFlights(), [5n, 2000]);
    const set = applyUpdates(
      table,
      [
        { action: 'set-statistics', file: { snapshotId: 5n, json: { 'snapshot-id': 5, path: 'old' } } },
        { action: 'set-statistics', file: { snapshotId: 5n, json: { 'snapshot-id': 5, path: 'new' } } },
        { action: 'add-encryption-key', key: { keyId: 'k', json: { 'key-id': 'k' } } },
        { action: 'add-encryption-key', key: { keyId: 'k', json: { 'key-id': 'k', again: true } } },
      ],
      3000,
    );
    expect(set.extra).toEqual({ statistics: [{ 'snapshot-id': 5, path: 'new' }], 'encryption-keys': [{ 'key-id': 'k' }] });
    const removed = applyUpdates(
      set,
      [
        { action: 'remove-statistics', snapshotId: 5n },
        { action: 'remove-encryption-key', keyId: 'k' },
      ],
      4000,
    );
    expect(removed.extra).toEqual({ statistics: [], 'encryption-keys': [] });
    expect(() => applyUpdates(table, [{ action: 'set-statistics', file: { snapshotId: 6n, json: {} } }], 1)).toThrow(
      /snapshot 6/,
    );
  });
});
