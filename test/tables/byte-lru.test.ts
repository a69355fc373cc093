import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteLru } from '../../src/tables/byte-lru.ts';

test('holds the newest values that fit, and never more bytes than its limit', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    bytes: fc.integer({ min: 1, max: 60 }),
    isRead: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const cache = new ByteLru<number>(100);
      let model: { key: string; bytes: number; value: number }[] = [];
      for (const [value, { key, bytes, isRead }] of steps.entries()) {
        const known = model.find((entry) => entry.key === key);
        if (isRead) {
          expect(cache.get(key)).toBe(known?.value);
          if (known !== undefined) model = [...model.filter((entry) => entry !== known), known];
          continue;
        }
        cache.set(key, value, bytes);
        model = [...model.filter((entry) => entry.key !== key), { key, bytes, value }];
        while (model.reduce((sum, entry) => sum + entry.bytes, 0) > 100) model.shift();
        expect(cache.bytes).toBe(model.reduce((sum, entry) => sum + entry.bytes, 0));
      }
    }),
  );
});

test('what alone is above the limit is not kept, and takes the place of what was there', () => {
  const cache = new ByteLru<string>(10);
  cache.set('a', 'small', 5);
  cache.set('a', 'large', 11);
  expect(cache.get('a')).toBeUndefined();
  expect(cache.bytes).toBe(0);
});
