import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, sha256Hex } from '../../src/ledger/canonical-json.ts';
import { featuresDigest } from '../../src/scoring/features-digest.ts';

test('the example of docs/predictions.md', () => {
  const digest = featuresDigest([{ name: 'x' }, { name: 'n' }]);
  expect(digest([0.5, '7'])).toBe('3f72089a5bb094f870e4b5162a85c1dd7e0e21fb2e3e047117c26d127a61f5f3');
});

test('is the digest of the canonical JSON of the inputs by name', () => {
  const value = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string()),
    fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }),
  );
  const row = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), value), {
    minLength: 1,
    selector: ([name]) => name,
  });
  fc.assert(
    fc.property(row, (members) => {
      const digest = featuresDigest(members.map(([name]) => ({ name })));
      // An entry list, so that a member called __proto__ is one like any other.
      expect(digest(members.map(([, each]) => each))).toBe(sha256Hex(canonicalJson(Object.fromEntries(members))));
    }),
  );
});
