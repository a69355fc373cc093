import { expect, test } from 'vitest';
import { MakersCount } from '../../../src/training/feed/makers-count.ts';

/** Counts of one second after the other, in each of which the feed and all that the threads did took so many seconds. */
function counts(first: number, threads: number, seconds: readonly (readonly [own: number, all: number])[]): readonly number[] {
  const count = new MakersCount(first);
  const busy = Array.from({ length: threads }, () => ({ busySeconds: 100 }));
  expect(count.of(busy, true, -5000)).toBe(first);
  // Threads are started, and groups decoded, until there is a first batch.
  for (const thread of busy) thread.busySeconds += 5;
  count.worked(0.1);
  expect(count.of(busy, true, 0)).toBe(first);
  return seconds.map(([own, all], second) => {
    if (own > 0) count.worked(own);
    for (const thread of busy) thread.busySeconds += all / threads;
    expect(count.of(busy, true, second * 1000 + 500)).toBe(count.of(busy, false, second * 1000 + 999));
    return count.of(busy, true, (second + 1) * 1000);
  });
}

test('one thread makes batches as long as it keeps up with their reader, more of them where it does not and others are free', () => {
  expect(
    counts(1, 2, [
      [0.3, 0.3],
      [0.95, 0.95],
      [1.6, 1.6],
      [0.5, 0.5],
      [0.7, 0.7],
    ]),
  ).toEqual([1, 2, 2, 1, 1]);
  expect(
    counts(1, 8, [
      [1, 1],
      [3, 3],
    ]),
  ).toEqual([4, 4]);
});

test('what others do leaves fewer threads, and it is not changed to and fro', () => {
  // As many feeds as threads, each taking all that it gets.
  expect(
    counts(2, 2, [
      [1, 2],
      [1, 2],
      [1, 2],
    ]),
  ).toEqual([1, 1, 1]);
  expect(
    counts(1, 2, [
      [0.95, 1.95],
      [0.95, 1.5],
      [0.95, 1.45],
      [0.95, 1.2],
    ]),
  ).toEqual([1, 1, 1, 2]);
  // Groups are decoded.
  expect(
    counts(2, 2, [
      [0.2, 2],
      [0.2, 2],
    ]),
  ).toEqual([1, 1]);
  expect(
    counts(4, 8, [
      [3, 7],
      [3, 8],
      [2, 8],
      [1, 8],
    ]),
  ).toEqual([4, 3, 2, 1]);
});
