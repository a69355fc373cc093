import { describe, expect, test } from 'vitest';
import { defaultPointInTimeOptions } from '../../src/features/point-in-time/options.ts';
import type { FeatureJoin, PointInTimePlan } from '../../src/features/point-in-time/plan.ts';
import { validatePointInTime } from '../../src/features/point-in-time/validate.ts';

const join: FeatureJoin = {
  relation: 'hourly',
  table: 'features.hourly',
  entityKeys: [{ key: 'airport', type: 'string', spineColumn: 'origin' }],
  eventTime: { column: 'hour_end', type: 'timestamp' },
  knownTime: null,
  sequence: null,
  timeToLiveMicros: null,
  features: [{ column: 'flights', type: 'long', alias: 'flights' }],
  statusColumn: 'hourly__status',
};

const plan: PointInTimePlan = {
  spine: {
    relation: 'spine',
    eventTime: { column: 'departed', type: 'timestamptz' },
    columns: [
      { column: 'origin', type: 'string' },
      { column: 'departed', type: 'timestamptz' },
      { column: 'distance', type: 'long' },
      { column: 'late', type: 'boolean' },
    ],
    labels: ['late'],
  },
  joins: [join],
  options: { ...defaultPointInTimeOptions, matchStatus: true },
};

function withJoin(change: Partial<FeatureJoin>): PointInTimePlan {
  return { ...plan, joins: [{ ...join, ...change }] };
}

test('a sound plan passes', () => expect(() => validatePointInTime(plan)).not.toThrow());

describe('refused, with the thing, the fault and the cure', () => {
  const cases: readonly (readonly [string, PointInTimePlan, RegExp])[] = [
    ['no features', { ...plan, joins: [] }, /at least one feature/],
    ['a table without features', withJoin({ features: [] }), /No feature is taken from features\.hourly/],
    ['a table without keys', withJoin({ entityKeys: [] }), /features\.hourly has no entity keys/],
    [
      'KNOWN_AT_EVENT over a table without known time',
      { ...plan, options: { ...plan.options, knowledge: 'KNOWN_AT_EVENT' } },
      /features\.hourly declares no known time.*knowledge: IGNORE/,
    ],
    [
      'a missing event time',
      { ...plan, spine: { ...plan.spine, eventTime: { column: 'at', type: 'timestamp' } } },
      /no column at, which is named as the event time\. It has origin, departed, distance, late/,
    ],
    [
      'an event time that is none',
      { ...plan, spine: { ...plan.spine, eventTime: { column: 'distance', type: 'long' } } },
      /distance, the event time of the spine, is of type long/,
    ],
    ['a missing label', { ...plan, spine: { ...plan.spine, labels: ['tardy'] } }, /no column tardy, which is named as a label/],
    [
      'a missing key',
      withJoin({ entityKeys: [{ key: 'airport', type: 'string', spineColumn: 'airport' }] }),
      /no column airport, which is named as the entity key airport of features\.hourly/,
    ],
    [
      'keys of types that cannot be equal',
      withJoin({ entityKeys: [{ key: 'airport', type: 'string', spineColumn: 'distance' }] }),
      /airport of features\.hourly is of type string, the spine's distance of type long/,
    ],
    [
      'a floating-point key',
      withJoin({ entityKeys: [{ key: 'airport', type: 'double', spineColumn: 'distance' }] }),
      /of type double, which cannot be an entity key/,
    ],
    [
      'a label as a key',
      withJoin({ entityKeys: [{ key: 'flag', type: 'boolean', spineColumn: 'late' }] }),
      /late is a label, so it cannot be the entity key flag/,
    ],
    [
      'a label as a feature',
      withJoin({ features: [{ column: 'late', type: 'boolean', alias: 'late' }] }),
      /late would occur twice: as the label late and as the feature late of features\.hourly\. Give the feature an alias/,
    ],
    [
      'a feature named as a column of the spine, but for its case',
      withJoin({ features: [{ column: 'Distance', type: 'long', alias: 'Distance' }] }),
      /Distance would occur twice/,
    ],
    [
      'a feature named as the position',
      withJoin({ features: [{ column: 'n', type: 'long', alias: 'spine_position' }] }),
      /twice/,
    ],
    [
      'two tables with one status column',
      { ...plan, joins: [join, { ...join, features: [{ column: 'flights', type: 'long', alias: 'other' }] }] },
      /hourly__status would occur twice/,
    ],
    ['a negative time to live', withJoin({ timeToLiveMicros: -1n }), /-1 microseconds\. It cannot be negative/],
    [
      'an event time of text',
      withJoin({ eventTime: { column: 'hour_end', type: 'string' } }),
      /event time of features\.hourly, is of type string/,
    ],
    [
      'a known time of text',
      withJoin({ knownTime: { column: 'seen', type: 'string' } }),
      /known time of features\.hourly, is of type string/,
    ],
  ];
  test.each(cases)('%s', (_, refused, message) => {
    expect(() => validatePointInTime(refused)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringMatching(message) }),
    );
  });

  test('an int key meets a long one', () => {
    expect(() =>
      validatePointInTime(withJoin({ entityKeys: [{ key: 'd', type: 'int', spineColumn: 'distance' }] })),
    ).not.toThrow();
  });
});
