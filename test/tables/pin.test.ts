import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { refByName, snapshotById, type TableMetadata } from '../../src/iceberg/metadata.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import type { TableUpdate } from '../../src/iceberg/table-update.ts';
import { intervalsInLog, mergeIntervals, pinProperty, refuseLostPins } from '../../src/tables/pin.ts';
import { append, newFlights, tag } from '../iceberg/sample-metadata.ts';

const log = [
  { snapshotId: 1n, timestampMs: 10 },
  { snapshotId: 2n, timestampMs: 20 },
  { snapshotId: 1n, timestampMs: 30 },
];

test('a log says when a snapshot was the current one, each time', () => {
  expect(intervalsInLog(log, 1n)).toEqual([
    { fromMs: 10, toMs: 20 },
    { fromMs: 30, toMs: null },
  ]);
  expect(intervalsInLog(log, 3n)).toEqual([]);
});

test('what was remembered stays where the log is cut, and ends where the log says', () => {
  const remembered = [
    { fromMs: 10, toMs: 20 },
    { fromMs: 30, toMs: null },
  ];
  const later = [...log.slice(2), { snapshotId: 3n, timestampMs: 40 }];
  expect(mergeIntervals(remembered, intervalsInLog(later, 1n))).toEqual([
    { fromMs: 10, toMs: 20 },
    { fromMs: 30, toMs: 40 },
  ]);
  expect(mergeIntervals(remembered, [])).toEqual(remembered);
});

/** Snapshots 1 to 4; 2 and 3 are pinned by `held` and `kept`, and `v1` is a tag of the owner's. */
function pinnedTable(): TableMetadata {
  const table = append(newFlights(), [1n, 1100], [2n, 1200], [3n, 1300], [4n, 1400]);
  const tagged = tag(tag(tag(table, 'held', 2n, neverExpiresMs), 'kept', 3n, neverExpiresMs), 'v1', 1n);
  const properties = { [pinProperty('held')]: '[{"fromMs":1200,"toMs":1300}]', [pinProperty('kept')]: '[]' };
  return applyUpdates(tagged, [{ action: 'set-properties', updates: properties }], 1400);
}

const anyUpdate: fc.Arbitrary<TableUpdate> = fc.oneof(
  fc
    .subarray([1n, 2n, 3n, 4n, 9n], { minLength: 1 })
    .map((snapshotIds): TableUpdate => ({ action: 'remove-snapshots', snapshotIds })),
  fc
    .constantFrom('held', 'kept', 'v1', 'main', 'none')
    .map((refName): TableUpdate => ({ action: 'remove-snapshot-ref', refName })),
  fc
    .tuple(fc.constantFrom('held', 'kept', 'v1', 'new'), fc.constantFrom(1n, 2n, 3n, 4n), fc.constantFrom(neverExpiresMs, 5n))
    .map(
      ([refName, snapshotId, maxRefAgeMs]): TableUpdate => ({
        action: 'set-snapshot-ref',
        refName,
        ref: { type: 'tag', snapshotId, maxRefAgeMs },
      }),
    ),
  fc
    .tuple(fc.constantFrom('held', 'kept', 'forged'), fc.constantFrom('[]', 'x'))
    .map(([name, text]): TableUpdate => ({ action: 'set-properties', updates: { [pinProperty(name)]: text } })),
  fc
    .constantFrom(pinProperty('held'), pinProperty('kept'), 'owner')
    .map((name): TableUpdate => ({ action: 'remove-properties', removals: [name] })),
  fc.constant<TableUpdate>({ action: 'set-properties', updates: { colour: 'red' } }),
);

test('whatever another engine commits, it is refused or every pin is as it was', () => {
  const before = pinnedTable();
  let passed = 0;
  fc.assert(
    fc.property(fc.array(anyUpdate, { minLength: 1, maxLength: 5 }), (updates) => {
      let after: TableMetadata;
      try {
        after = applyUpdates(before, updates, 2000);
      } catch {
        // Updates that do not fit each other are refused before.
        return;
      }
      const touched = ['held', 'kept', 'forged'].filter((name) => {
        const property = pinProperty(name);
        const [old, now] = [refByName(before, name), refByName(after, name)];
        return (
          before.properties[property] !== after.properties[property] ||
          (Object.hasOwn(before.properties, property) && JSON.stringify(old, text) !== JSON.stringify(now, text)) ||
          (old !== undefined && snapshotById(after, old.snapshotId) === undefined)
        );
      });
      if (touched.length === 0) {
        refuseLostPins(before, after);
        passed += 1;
        return;
      }
      try {
        refuseLostPins(before, after);
      } catch (error) {
        expect(IcecoreError.is(error, 'PINNED') && error.context.pins).toEqual(expect.arrayContaining(touched));
        return;
      }
      expect.unreachable(`${touched.join(' and ')} could be touched`);
    }),
    { numRuns: 500 },
  );
  expect(passed).toBeGreaterThan(10);
});

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
