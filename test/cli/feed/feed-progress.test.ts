import { describe, expect, test } from 'vitest';
import { durationText, FeedProgress } from '../../../src/cli/feed/feed-progress.ts';
import { FeedTimes } from '../../../src/cli/feed/feed-times.ts';

/** 20 of 100 rows by an earlier try, then ten a second. */
function running(seconds: number): FeedProgress {
  const progress = new FeedProgress({ rows: 20 });
  progress.expect(100);
  for (let second = 0; second <= seconds; second++) progress.add(second === 0 ? 0 : 10, 80, 1000 * second);
  return progress;
}

describe('progress', () => {
  test('is rows, speed and the time left', () => {
    expect(running(4).line()).toBe('60 %, 60 of 100 rows, 10 rows/s, 0:04 left');
    expect(running(0).line()).toBe('20 %, 20 of 100 rows');
    expect(new FeedProgress({ rows: 0 }).line()).toBe('0 rows');
    expect(running(8)).toMatchObject({ share: 1, rows: 100, rowsHere: 80 });
  });

  test('goes by the speed of the last seconds', () => {
    const progress = new FeedProgress({ rows: 0 });
    progress.expect(10_000);
    for (let second = 0; second <= 60; second++) progress.add(second < 30 ? 100 : 1, 1, 1000 * second);
    expect(progress.parts()[1]).toBe('1 rows/s');
  });

  test.each([20, 40, 60, 80, 200])('fits a terminal of %i columns', (width) => {
    const bar = running(4).bar(width);
    expect(bar.length).toBeLessThan(width);
    expect(bar).toMatch(/^ 60 %/);
    if (width >= 60) expect((bar.match(/█/g) ?? []).length).toBeCloseTo(1.5 * (bar.match(/░/g) ?? []).length, -1);
  });

  test.each([
    [0, '0:00'],
    [8.2, '0:09'],
    [754, '12:34'],
    [3723, '1:02:03'],
  ])('%f seconds are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

test('the times of the server are added up over connections, each of which counts from its own beginning', () => {
  const times = new FeedTimes();
  expect(times.text(1000)).toBeNull();
  times.add('writing', 100);
  for (const seconds of ['0.100', '0.200', '0.050', '0.150']) times.addServer(new Map([['icecore.seconds-reading', seconds]]));
  times.addServer(new Map([['icecore.cursor', '1']]));
  expect(times.text(1000)).toBe('here: writing 10 %; server: reading 35 %');
});
