import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { parsePlanId, parsePlanTask, printPlanId, printPlanTask } from '../../src/rest-catalog/plan-token.ts';
import type { PlannableScan } from '../../src/rest-catalog/scan-request.ts';
import { samplePredicate } from '../iceberg/predicate-sample.ts';

const tableUuid = '9c12d441-03fe-4693-9a96-a0705ddf69c1';
const id = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const scan: fc.Arbitrary<PlannableScan> = fc.record({
  of: fc.oneof(
    fc.constant(null),
    id.map((snapshotId) => ({ snapshotId })),
    fc.record({ startExclusive: id, endInclusive: id }),
  ),
  schemaId: fc.nat(),
  // JSON text writes both zeros alike.
  filter: samplePredicate.map((predicate) => JSON.parse(JSON.stringify(predicate))),
  isCaseSensitive: fc.boolean(),
  statsFieldIds: fc.array(fc.nat(), { maxLength: 3 }),
  minRows: fc.option(id),
});

describe('a plan id', () => {
  it('holds the whole request, for its own table', () => {
    fc.assert(
      fc.property(scan, (of) => {
        const planId = printPlanId({ tableUuid, scan: of });
        expect(parsePlanId(planId, tableUuid)).toEqual(of);
        expect(planId).toMatch(/^[\w-]+$/);
        expect(() => parsePlanId(planId, 'another')).toThrow('The plan id does not exist');
      }),
    );
  });
});

describe('a plan task', () => {
  it('holds a range of its plan', () => {
    fc.assert(
      fc.property(scan, fc.nat(1000), fc.nat(1000), fc.integer({ min: 1, max: 1000 }), (of, manifest, tasks, width) => {
        const range = { from: { manifest, tasks }, untilManifest: manifest + width };
        const planTask = printPlanTask(printPlanId({ tableUuid, scan: of }), range);
        expect(parsePlanTask(planTask, tableUuid)).toEqual({ scan: of, range });
      }),
    );
  });

  it('that somebody made up or changed does not exist, if it says anything else at all', () => {
    const planTask = printPlanTask(printPlanId({ tableUuid, scan: fc.sample(scan, { numRuns: 1, seed: 7 })[0] ?? failed() }), {
      from: { manifest: 3, tasks: 4 },
      untilManifest: 5,
    });
    const changed = fc
      .tuple(fc.nat(planTask.length - 1), fc.string({ unit: 'binary', maxLength: 2 }))
      .map(([at, text]) => planTask.slice(0, at) + text + planTask.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), changed), (text) => {
        try {
          parsePlanTask(text, tableUuid);
        } catch (error) {
          expect(IcecoreError.is(error, 'NOT_FOUND') && error.context.missing).toBe('planTask');
        }
      }),
      { numRuns: 500 },
    );
  });
});

function failed(): never {
  throw new Error('fast-check gave no sample');
}
