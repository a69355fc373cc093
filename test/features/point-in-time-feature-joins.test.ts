import { expect, test } from 'vitest';
import type { FeatureRef, FrozenFeatureTable } from '../../src/features/feature-set.ts';
import { featureJoins } from '../../src/features/point-in-time/feature-joins.ts';
import type { TypedColumn } from '../../src/features/point-in-time/plan.ts';

const column = (fieldId: number, name: string, type: string) => ({ fieldId, name, type });
const airports: FrozenFeatureTable = {
  tableUuid: 'uuid-airports',
  table: 'features."air.ports"',
  entityKeys: [column(1, 'airport', 'string'), column(2, 'carrier', 'string')],
  eventTime: column(3, 'hour_end', 'timestamp'),
  knownTime: null,
  sequence: null,
  timeToLiveMicros: 5n,
};
const days: FrozenFeatureTable = {
  ...airports,
  tableUuid: 'uuid-days',
  table: 'features.days',
  entityKeys: [column(1, 'day', 'date')],
  knownTime: column(5, 'known', 'timestamptz'),
};

/** The pinned snapshots have other names than the ones that were frozen: ids count. */
const rowsOf = (tableUuid: string) => ({
  relation: `rows_of_${tableUuid}`,
  column: (fieldId: number): TypedColumn => ({ column: `c${fieldId}`, type: 'string' }),
});

function ref(
  table: FrozenFeatureTable,
  fieldId: number,
  feature: string,
  alias = feature,
  keyMap: FeatureRef['keyMap'] = [],
): FeatureRef {
  return { tableUuid: table.tableUuid, table: table.table, fieldId, feature, alias, type: 'string', keyMap };
}

test('one join a table and key map, by field id, features in the order of the set', () => {
  const features = [
    ref(airports, 6, 'delay', 'origin_delay', [{ key: 'airport', spineColumn: 'origin' }]),
    ref(days, 7, 'rain'),
    ref(airports, 6, 'delay'),
    ref(airports, 8, 'flights', 'origin_flights', [
      { key: 'carrier', spineColumn: 'carrier' },
      { key: 'airport', spineColumn: 'origin' },
    ]),
  ];
  const joins = featureJoins({ features, tables: [airports, days] }, rowsOf);
  expect(joins.map(({ relation, statusColumn }) => [relation, statusColumn])).toEqual([
    ['rows_of_uuid-airports', 'origin_delay__status'],
    ['rows_of_uuid-days', 'days__status'],
    ['rows_of_uuid-airports', 'air.ports__status'],
  ]);
  expect(joins[0]?.features).toEqual([
    { column: 'c6', type: 'string', alias: 'origin_delay', place: 0 },
    { column: 'c8', type: 'string', alias: 'origin_flights', place: 3 },
  ]);
  expect(joins[0]?.entityKeys).toEqual([
    { key: 'c1', type: 'string', spineColumn: 'origin' },
    { key: 'c2', type: 'string', spineColumn: 'carrier' },
  ]);
  expect(joins[1]).toMatchObject({ knownTime: { column: 'c5' }, sequence: null, timeToLiveMicros: 5n });
});

test('a key map of a key that the table lacks is refused', () => {
  const features = [ref(days, 7, 'rain', 'rain', [{ key: 'hour', spineColumn: 'h' }])];
  expect(() => featureJoins({ features, tables: [days] }, rowsOf)).toThrow(
    /names hour, which is no entity key of features\.days\. It has day\./,
  );
});
