import { expect, test } from 'vitest';
import { MessageMemory } from '../../src/arrow/message-memory.ts';

const page = 4096;

test('memory that is given back is used again, for what is not much smaller', () => {
  const memory = new MessageMemory(100 * page);
  const { buffer } = memory.take(10 * page);
  memory.give(buffer);
  expect(memory.take(2 * page).buffer).not.toBe(buffer);
  expect(memory.take(9 * page).buffer).toBe(buffer);
});

test('what is beyond the limit is freed at once, the oldest first', () => {
  const memory = new MessageMemory(20 * page);
  const taken = Array.from({ length: 3 }, () => memory.take(10 * page).buffer);
  for (const buffer of taken) memory.give(buffer);
  expect(taken.map(({ detached }) => detached)).toEqual([true, false, false]);
  memory.keepAtMost(10 * page);
  expect(taken.map(({ detached }) => detached)).toEqual([true, true, false]);
  memory.clear();
  expect(taken.map(({ detached }) => detached)).toEqual([true, true, true]);
  const { buffer } = memory.take(page);
  memory.give(buffer);
  expect(buffer.detached).toBe(false);
});
