import { expect, test } from 'vitest';
import { intervalsInLog, mergeIntervals } from '../../src/tables/pin.ts';

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
