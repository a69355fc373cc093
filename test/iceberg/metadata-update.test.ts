import { describe, expect, it } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { currentSchema, defaultSortOrder, defaultSpec, type TableMetadata } from '../../src/iceberg/metadata.ts';
import { applyUpdates, withPreviousMetadata } from '../../src/iceberg/metadata-update.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import { addColumn } from '../../src/iceberg/schema-evolution.ts';
import type { TableUpdate } from '../../src/iceberg/table-update.ts';
import { append, appendUpdates, newFlights, snapshotOf, tag } from './sample-metadata.ts';

function errorOf(action: () => unknown): IcecoreError {
  try {
    action();
  } catch (error) {
    if (IcecoreError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a new table', () => {
  it('needs a schema, a spec and a place', () => {
    const begin: readonly TableUpdate[] = [
      { action: 'assign-uuid', uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1' },
      { action: 'set-location', location: 'file:///warehouse/raw/empty' },
    ];
    expect(errorOf(() => applyUpdates(null, begin, 1000)).code).toBe('BAD_USER_INPUT');
    expect(errorOf(() => applyUpdates(null, begin.slice(0, 1), 1000)).code).toBe('BAD_USER_INPUT');
    expect(errorOf(() => applyUpdates(null, [], 1000)).code).toBe('BAD_USER_INPUT');
  });

  it('has a uuid that is one', () => {
    expect(errorOf(() => applyUpdates(null, [{ action: 'assign-uuid', uuid: '../../t' }], 1))).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('is not a UUID'),
    });
  });

  it('begins at schema 0, spec 0, ids from 1 and from 1000', () => {
    const table = newFlights();
    expect(currentSchema(table).fields.map((field) => [field.id, field.name])).toEqual([
      [1, 'id'],
      [2, 'ts'],
      [3, 'delay'],
      [4, 'place'],
      [5, 'scores'],
    ]);
    expect(table.lastColumnId).toBe(7);
    expect(defaultSpec(table)).toEqual({ specId: 0, fields: [{ fieldId: 1000, sourceId: 2, name: 'ts_day', transform: 'day' }] });
    expect(table.lastPartitionId).toBe(1000);
    expect(defaultSortOrder(table)).toEqual({ orderId: 0, fields: [] });
    expect(table).toMatchObject({
      formatVersion: 2,
      currentSnapshotId: null,
      lastSequenceNumber: 0n,
      lastUpdatedMs: 1000,
      refs: {},
    });
  });

  it('comes of updates that say last which schema is the current one, as those of DuckDB do', () => {
    const asFlights = newFlights();
    const updates: readonly TableUpdate[] = [
      { action: 'assign-uuid', uuid: asFlights.tableUuid },
      { action: 'add-schema', schema: currentSchema(asFlights) },
      { action: 'add-spec', spec: defaultSpec(asFlights) },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder: defaultSortOrder(asFlights) },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: asFlights.location },
      { action: 'set-properties', updates: asFlights.properties },
      { action: 'set-current-schema', schemaId: 0 },
    ];
    expect(applyUpdates(null, updates, 1000)).toEqual(asFlights);
    const withoutSchema = updates.filter(({ action }) => action !== 'add-schema');
    expect(errorOf(() => applyUpdates(null, withoutSchema, 1000)).message).toContain('comes after the schema');
  });
});

describe('snapshots', () => {
  it('on main become current and enter the log', () => {
    const table = append(newFlights(), [11n, 2000], [12n, 3000]);
    expect(table.currentSnapshotId).toBe(12n);
    expect(table.lastSequenceNumber).toBe(2n);
    expect(table.lastUpdatedMs).toBe(3000);
    expect(table.snapshotLog).toEqual([
      { snapshotId: 11n, timestampMs: 2000 },
      { snapshotId: 12n, timestampMs: 3000 },
    ]);
  });

  it('on another branch do not', () => {
    const table = append(newFlights(), [11n, 2000]);
    const branched = applyUpdates(table, appendUpdates(snapshotOf(table, 12n, 3000), 'try'), 3000);
    expect(branched.currentSnapshotId).toBe(11n);
    expect(branched.snapshotLog).toHaveLength(1);
    expect(branched.refs.try).toEqual({ type: 'branch', snapshotId: 12n });
  });

  it('with a stale sequence number are a conflict that may be tried again', () => {
    const table = append(newFlights(), [11n, 2000]);
    const late = snapshotOf(table, 13n, 3000);
    const error = errorOf(() => applyUpdates(append(table, [12n, 2500]), appendUpdates(late), 3000));
    expect(error).toMatchObject({ code: 'CONFLICT', retryable: true });
    expect(error.message).toContain('sequence number 2');
  });

  it('that were current only within one commit leave no trace in the log', () => {
    const table = append(newFlights(), [11n, 2000]);
    const first = snapshotOf(table, 12n, 3000);
    const second = { ...first, snapshotId: 13n, parentSnapshotId: 12n, sequenceNumber: 3n };
    const both = applyUpdates(table, [...appendUpdates(first), ...appendUpdates(second)], 3000);
    expect(both.snapshotLog.map((entry) => entry.snapshotId)).toEqual([11n, 13n]);
  });

  it('rolled back to are logged at the time of the rollback', () => {
    const table = append(newFlights(), [11n, 2000], [12n, 3000]);
    const back = applyUpdates(
      table,
      [{ action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: 11n } }],
      4000,
    );
    expect(back.currentSnapshotId).toBe(11n);
    expect(back.snapshotLog.at(-1)).toEqual({ snapshotId: 11n, timestampMs: 4000 });
  });

  it('removed cut the log up to the last of them, and take their refs and statistics along', () => {
    const table = tag(append(newFlights(), [11n, 1100], [12n, 1200], [13n, 1300], [14n, 1400]), 'gone', 12n);
    const withStatistics = { ...table, extra: { statistics: [{ 'snapshot-id': 12 }, { 'snapshot-id': 13 }] } };
    const cut = applyUpdates(withStatistics, [{ action: 'remove-snapshots', snapshotIds: [12n] }], 2000);
    expect(cut.snapshots.map((snapshot) => snapshot.snapshotId)).toEqual([11n, 13n, 14n]);
    expect(cut.snapshotLog.map((entry) => entry.snapshotId)).toEqual([13n, 14n]);
    expect(cut.refs).toEqual({ main: { type: 'branch', snapshotId: 14n } });
    expect(cut.extra).toEqual({ statistics: [{ 'snapshot-id': 13 }] });
  });

  it('removed one by one are removed as if together', () => {
    const ids = [11n, 12n, 13n];
    const table = tag(append(newFlights(), [11n, 1100], [12n, 1200], [13n, 1300], [14n, 1400]), 'gone', 12n);
    const remove = (snapshotIds: readonly bigint[]) => ({ action: 'remove-snapshots', snapshotIds }) as const;
    const untag = { action: 'remove-snapshot-ref', refName: 'gone' } as const;
    const together = applyUpdates(table, [remove(ids), untag], 2000);
    expect(applyUpdates(table, [...ids.map((id) => remove([id])), untag], 2000)).toEqual(together);
    expect(applyUpdates(table, [remove([11n, 12n]), untag, remove([13n])], 2000)).toEqual(together);
  });

  it('whose clock is wrong by more than a minute are refused', () => {
    const table = append(newFlights(), [11n, 200_000]);
    for (const atMs of [139_999, 260_001]) {
      expect(errorOf(() => applyUpdates(table, appendUpdates(snapshotOf(table, 12n, atMs)), 200_000)).code).toBe(
        'BAD_USER_INPUT',
      );
    }
    for (const atMs of [140_000, 260_000]) {
      expect(applyUpdates(table, appendUpdates(snapshotOf(table, 12n, atMs)), 200_000).snapshotLog).toHaveLength(2);
    }
  });

  it('of a v3 table take row ids that none has had', () => {
    const table = append(newFlights(3), [11n, 2000]);
    const ahead = { ...snapshotOf(table, 12n, 3000), firstRowId: 50n, addedRows: 5n };
    expect(applyUpdates(table, appendUpdates(ahead), 3000).nextRowId).toBe(55n);
    const behind = { ...ahead, firstRowId: 9n };
    expect(errorOf(() => applyUpdates(table, appendUpdates(behind), 3000))).toMatchObject({ code: 'CONFLICT', retryable: true });
    const negative = { ...ahead, addedRows: -5n };
    expect(errorOf(() => applyUpdates(table, appendUpdates(negative), 3000)).code).toBe('BAD_USER_INPUT');
  });

  it('of a v3 table take row ids', () => {
    const table = append(newFlights(3), [11n, 2000], [12n, 3000]);
    expect(table.nextRowId).toBe(20n);
    const { firstRowId: _none, ...bare } = snapshotOf(table, 13n, 4000);
    expect(errorOf(() => applyUpdates(table, appendUpdates(bare), 4000)).message).toContain('first-row-id');
  });
});

describe('schemas, specs and orders', () => {
  it('are added under the next id and made current by -1', () => {
    const table = newFlights();
    const { schema, lastColumnId } = addColumn(
      { schema: currentSchema(table), lastColumnId: table.lastColumnId },
      { name: 'gate', type: 'string' },
    );
    const next = applyUpdates(
      table,
      [
        { action: 'add-schema', schema, lastColumnId },
        { action: 'set-current-schema', schemaId: -1 },
        { action: 'add-spec', spec: buildPartitionSpec(schema, [{ column: 'gate', transform: 'bucket[4]' }]) },
        { action: 'set-default-spec', specId: -1 },
        {
          action: 'add-sort-order',
          sortOrder: { orderId: 9, fields: [{ sourceId: 2, transform: 'identity', direction: 'asc', nullOrder: 'nulls-last' }] },
        },
        { action: 'set-default-sort-order', sortOrderId: -1 },
      ],
      2000,
    );
    expect(next).toMatchObject({ currentSchemaId: 1, lastColumnId: 8, defaultSpecId: 1, defaultSortOrderId: 1 });
    expect(currentSchema(next).fields.at(-1)).toEqual({ id: 8, name: 'gate', type: 'string', required: false });
  });

  it('that are there already are used again', () => {
    const table = newFlights();
    const again = applyUpdates(
      table,
      [
        { action: 'add-schema', schema: { ...currentSchema(table), schemaId: 77 } },
        { action: 'set-current-schema', schemaId: -1 },
        { action: 'add-spec', spec: { specId: 5, fields: [{ fieldId: 0, sourceId: 2, name: 'ts_day', transform: 'day' }] } },
        { action: 'set-default-spec', specId: -1 },
      ],
      2000,
    );
    expect(again.schemas).toHaveLength(1);
    expect(again.partitionSpecs).toHaveLength(1);
  });

  it('that are there already, and all else that changes nothing, give the same metadata', () => {
    const table = tag(append(newFlights(), [11n, 2000]), 'v1', 11n);
    const { schemas, partitionSpecs, sortOrders, refs } = table;
    const updates: readonly TableUpdate[] = [
      { action: 'assign-uuid', uuid: table.tableUuid },
      { action: 'upgrade-format-version', formatVersion: 2 },
      ...schemas.map((schema) => ({ action: 'add-schema', schema }) as const),
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'set-current-schema', schemaId: 0 },
      ...partitionSpecs.map((spec) => ({ action: 'add-spec', spec }) as const),
      { action: 'set-default-spec', specId: -1 },
      ...sortOrders.map((sortOrder) => ({ action: 'add-sort-order', sortOrder }) as const),
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-location', location: `${table.location}/` },
      { action: 'set-properties', updates: {} },
      { action: 'set-properties', updates: { 'format-version': '3', uuid: 'x' } },
      { action: 'remove-properties', removals: [] },
      ...Object.entries(refs).map(([refName, ref]) => ({ action: 'set-snapshot-ref', refName, ref }) as const),
      { action: 'remove-snapshot-ref', refName: 'none' },
      { action: 'remove-snapshots', snapshotIds: [99n] },
      { action: 'remove-statistics', snapshotId: 11n },
      { action: 'remove-partition-statistics', snapshotId: 11n },
      { action: 'remove-encryption-key', keyId: 'none' },
      { action: 'remove-schemas', schemaIds: [9] },
      { action: 'remove-partition-specs', specIds: [9] },
    ];
    for (const update of updates) {
      const isLast = 'schemaId' in update || 'specId' in update || 'sortOrderId' in update;
      if (!isLast) expect(applyUpdates(table, [update], 9000), update.action).toBe(table);
    }
    expect(applyUpdates(table, updates, 9000)).toBe(table);
  });

  it('keeps its last column id where a client gives the lower one of a schema that lost columns', () => {
    const table = newFlights();
    const schema = { ...currentSchema(table), fields: currentSchema(table).fields.slice(0, 2) };
    const updates: readonly TableUpdate[] = [
      { action: 'add-schema', schema, lastColumnId: 2 },
      { action: 'set-current-schema', schemaId: -1 },
    ];
    const changed = applyUpdates(table, updates, 2000);
    expect(currentSchema(changed).fields).toEqual(schema.fields);
    expect(changed.lastColumnId).toBe(7);
  });

  it('must fit each other when all is done, and not before', () => {
    const table = newFlights();
    const schema = currentSchema(table);
    const without = { ...schema, fields: schema.fields.filter(({ name }) => name !== 'ts') };
    const dropping: readonly TableUpdate[] = [
      { action: 'add-schema', schema: without },
      { action: 'set-current-schema', schemaId: -1 },
    ];
    expect(errorOf(() => applyUpdates(table, dropping, 2000))).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/ts_day/),
    });
    const unpartitioned: readonly TableUpdate[] = [
      { action: 'add-spec', spec: { specId: 0, fields: [] } },
      { action: 'set-default-spec', specId: -1 },
    ];
    expect(applyUpdates(table, [...dropping, ...unpartitioned], 2000)).toMatchObject({ currentSchemaId: 1, defaultSpecId: 1 });
    const sorted = applyUpdates(
      table,
      [
        {
          action: 'add-sort-order',
          sortOrder: { orderId: 1, fields: [{ sourceId: 3, transform: 'identity', direction: 'asc', nullOrder: 'nulls-last' }] },
        },
        { action: 'set-default-sort-order', sortOrderId: -1 },
      ],
      2000,
    );
    const withoutDelay = { ...schema, fields: schema.fields.filter(({ name }) => name !== 'delay') };
    expect(() =>
      applyUpdates(
        sorted,
        [
          { action: 'add-schema', schema: withoutDelay },
          { action: 'set-current-schema', schemaId: -1 },
        ],
        3000,
      ),
    ).toThrow(/sort order/);
  });

  it('of a later version of the format are for tables of that version', () => {
    const field = { id: 8, name: 'at', type: 'timestamp_ns', required: false } as const;
    const withNanos = (table: TableMetadata) => ({ ...currentSchema(table), fields: [...currentSchema(table).fields, field] });
    expect(
      errorOf(() => applyUpdates(newFlights(), [{ action: 'add-schema', schema: withNanos(newFlights()) }], 2000)),
    ).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/at is timestamp_ns/),
    });
    const upgraded = applyUpdates(
      newFlights(),
      [
        { action: 'upgrade-format-version', formatVersion: 3 },
        { action: 'add-schema', schema: withNanos(newFlights()) },
      ],
      2000,
    );
    expect(upgraded.schemas).toHaveLength(2);
    const { id: _id, ...rest } = field;
    const defaulted = { ...rest, id: 9, type: 'int', initialDefault: 5 } as const;
    const schema = { ...currentSchema(newFlights()), fields: [...currentSchema(newFlights()).fields, defaulted] };
    expect(() => applyUpdates(newFlights(), [{ action: 'add-schema', schema }], 2000)).toThrow(/initial default/);
  });

  it('that a snapshot was written with are kept', () => {
    const table = append(newFlights(), [11n, 2000]);
    const schema = currentSchema(table);
    const evolved = applyUpdates(
      table,
      [
        { action: 'add-schema', schema: { ...schema, fields: schema.fields.slice(0, 4) } },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      3000,
    );
    expect(() => applyUpdates(evolved, [{ action: 'remove-schemas', schemaIds: [0] }], 4000)).toThrow(/snapshot 11/);
    const later = { ...snapshotOf(evolved, 12n, 4000), schemaId: 1 };
    const moved = applyUpdates(evolved, appendUpdates(later), 4000);
    const cleaned = applyUpdates(
      moved,
      [
        { action: 'remove-snapshots', snapshotIds: [11n] },
        { action: 'remove-schemas', schemaIds: [0] },
      ],
      5000,
    );
    expect(cleaned.schemas.map(({ schemaId }) => schemaId)).toEqual([1]);
  });

  it.each([
    [{ action: 'set-current-schema', schemaId: -1 }, /no schema has been added/],
    [{ action: 'set-current-schema', schemaId: 9 }, /no schema 9/],
    [
      { action: 'add-schema', schema: { schemaId: 0, fields: [], identifierFieldIds: [] }, lastColumnId: 2 ** 31 - 1 },
      /is above/,
    ],
    [{ action: 'remove-schemas', schemaIds: [0] }, /current schema cannot be removed/],
    [{ action: 'remove-partition-specs', specIds: [0] }, /default partition spec cannot be removed/],
    [{ action: 'upgrade-format-version', formatVersion: 1 }, /cannot go back to 1/],
    [{ action: 'assign-uuid', uuid: 'another' }, /for good/],
    [{ action: 'set-snapshot-ref', refName: 'x', ref: { type: 'tag', snapshotId: 5n } }, /snapshot 5, which is not there/],
    [
      { action: 'add-spec', spec: { specId: 1, fields: [{ fieldId: 0, sourceId: 1, name: 'z', transform: 'zorder' }] } },
      /no transform/,
    ],
  ] as const)('refuses %o', (update, message) => {
    expect(errorOf(() => applyUpdates(newFlights(), [update], 2000))).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(message),
    });
  });
});

describe('properties and the rest', () => {
  it('are set and removed', () => {
    const table = applyUpdates(
      newFlights(),
      [
        { action: 'set-properties', updates: { a: '1', __proto__x: '2' } },
        { action: 'remove-properties', removals: ['owner'] },
        { action: 'set-location', location: 's3://b/t/' },
        { action: 'upgrade-format-version', formatVersion: 3 },
      ],
      5000,
    );
    expect(table).toMatchObject({
      properties: { a: '1', __proto__x: '2' },
      location: 's3://b/t',
      formatVersion: 3,
      nextRowId: 0n,
      lastUpdatedMs: 5000,
    });
    expect(table.properties).not.toHaveProperty('owner');
  });

  it('no updates give the same metadata', () => {
    const table = newFlights();
    expect(applyUpdates(table, [], 9)).toBe(table);
  });

  it('keep at most as many earlier files as they say', () => {
    let table = newFlights();
    for (let file = 0; file < 103; file++) table = withPreviousMetadata(table, `v${file}.json`, file);
    expect(table.metadataLog).toHaveLength(100);
    expect(table.metadataLog[0]).toEqual({ metadataFile: 'v3.json', timestampMs: 3 });
    const few = { ...table, properties: { 'write.metadata.previous-versions-max': '2' } };
    expect(withPreviousMetadata(few, 'last.json', 200).metadataLog.map((entry) => entry.metadataFile)).toEqual([
      'v102.json',
      'last.json',
    ]);
  });
});
