import { expect, test } from 'vitest';
import { EncodedBatches } from '../../../src/training/feed/encoded-batches.ts';

test('many that begin together make no more at a time than memory is for', async () => {
  const batches = new EncodedBatches(100);
  let [making, most] = [0, 0];
  const made = Array.from({ length: 12 }, (_, index) =>
    batches.within(60, async () => {
      most = Math.max(most, ++making);
      await new Promise(setImmediate);
      making--;
      return index;
    }),
  );
  expect(await Promise.all(made)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  // The second begins while there is room, and may need more than that.
  expect(most).toBe(2);
  expect(batches.bytes).toBe(0);
});
