import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SharedWork } from '../../../src/training/groups/shared-work.ts';

test('who asks while it is under way gets the same; who asks later begins anew', async () => {
  const shared = new SharedWork<number>();
  let begun = 0;
  const work = async (): Promise<number> => {
    begun++;
    await turn();
    return begun;
  };
  expect(await Promise.all([shared.of('a', work), shared.of('a', work), shared.of('b', work)])).toEqual([2, 2, 2]);
  expect(await shared.of('a', work)).toBe(3);
});

test('is told to stop when the last one gives up, not before', async () => {
  const shared = new SharedWork<string>();
  const [first, second] = [new AbortController(), new AbortController()];
  let stopped = false;
  const work = (signal: AbortSignal): Promise<string> =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        stopped = true;
        reject(signal.reason);
      });
    });
  const waiting = [shared.of('a', work, first.signal), shared.of('a', work, second.signal)];
  first.abort(new Error('first'));
  await expect(waiting[0]).rejects.toThrow('first');
  expect(stopped).toBe(false);
  second.abort(new Error('second'));
  await expect(waiting[1]).rejects.toThrow('second');
  expect(stopped).toBe(true);
  // What was given up is not what the next one gets.
  expect(await shared.of('a', async () => 'anew')).toBe('anew');
  await expect(shared.of('a', async () => 'never', AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('a failure is everybody’s, and nobody’s after it', async () => {
  const shared = new SharedWork<string>();
  const fails = async (): Promise<string> => {
    await turn();
    throw new Error('broken');
  };
  const both = await Promise.allSettled([shared.of('a', fails), shared.of('a', fails)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await shared.of('a', async () => 'whole')).toBe('whole');
});
