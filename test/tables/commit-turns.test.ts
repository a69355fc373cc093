import { expect, test } from 'vitest';
import { CommitTurns } from '../../src/tables/commit-turns.ts';

test('takers of a key come one after the other, others at the same time, and two keys never lock each other out', async () => {
  const turns = new CommitTurns();
  const running = new Set<string>();
  const order: string[] = [];
  const work = (name: string, keys: readonly string[]) =>
    turns.take(keys, async () => {
      for (const key of keys) {
        expect(running.has(key)).toBe(false);
        running.add(key);
      }
      order.push(name);
      await new Promise((resolve) => setImmediate(resolve));
      for (const key of keys) running.delete(key);
      return name;
    });
  const given = [
    ['a', ['x', 'y']],
    ['b', ['y', 'x']],
    ['c', ['z']],
    ['d', ['y', 'z']],
    ['e', ['x']],
  ] as const;
  expect(await Promise.all(given.map(([name, keys]) => work(name, keys)))).toHaveLength(5);
  expect(order.indexOf('a')).toBeLessThan(order.indexOf('b'));
  expect(order.indexOf('b')).toBeLessThan(order.indexOf('d'));
  expect(order.indexOf('c')).toBeLessThan(order.indexOf('b'));
});

test('a turn ends also where its work fails', async () => {
  const turns = new CommitTurns();
  await expect(turns.take(['x'], () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await turns.take(['x'], async () => 'next')).toBe('next');
});
