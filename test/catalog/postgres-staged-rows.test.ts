import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StagedRows } from '../../src/catalog/postgres/staged-rows.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, row: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ kind: fc.constant('remove' as const), key }),
);
const change = fc.record({ steps: fc.array(step, { maxLength: 4 }), isKept: fc.boolean() });

test('changes that are kept come to what they come to one after the other; those discarded leave no trace', () => {
  fc.assert(
    fc.property(fc.dictionary(key, fc.integer({ min: 0, max: 5 })), fc.array(change), (found, changes) => {
      const rows = new StagedRows<number>();
      for (const [name, row] of Object.entries(found)) rows.found(name, row);
      let model = new Map(Object.entries(found));
      for (const { steps, isKept } of changes) {
        const tried = new Map(model);
        for (const made of steps) {
          if (made.kind === 'put') {
            rows.put(made.key, made.row);
            tried.set(made.key, made.row);
          } else {
            rows.remove(made.key);
            tried.delete(made.key);
          }
          for (const name of ['a', 'b', 'c', 'd']) expect(rows.get(name)).toBe(tried.get(name) ?? null);
        }
        if (isKept) rows.keep();
        else rows.discard();
        model = isKept ? tried : model;
      }
      const written = new Map(Object.entries(found));
      for (const { key: name, before, after } of rows.changes()) {
        expect(before).toBe(found[name] ?? null);
        if (after === null) written.delete(name);
        else written.set(name, after);
      }
      expect(written).toEqual(model);
      expect(rows.find((row) => row === 3)).toBe([...model.values()].includes(3) ? 3 : null);
    }),
  );
});
