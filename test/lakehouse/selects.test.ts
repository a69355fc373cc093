import { afterAll, beforeAll, expect, test } from 'vitest';
import { Selects } from '../../src/lakehouse/selects.ts';
import { sqlStreamsAtOnceMax } from '../../src/limits.ts';
import { Store } from '../environment/store.ts';

const signal = new AbortController().signal;
const request = { statement: 'SELECT range AS n FROM range(1000000)', parameters: [], engine: 'EMBEDDED' } as const;

let store: Store;
beforeAll(async () => {
  store = await Store.open();
});
afterAll(() => store.close());

test('streams that nobody reads leave connections for others, and the one too many is refused', async () => {
  const selects = new Selects(store);
  const stalled = Array.from({ length: sqlStreamsAtOnceMax }, () => selects.batches(request, signal));
  const first = await Promise.all(stalled.map((stream) => stream.next()));
  expect(first.every(({ done }) => done === false)).toBe(true);

  await expect(selects.batches(request, signal).next()).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
  const answer = await selects.run({ ...request, statement: 'SELECT 1 AS one' }, 10, signal);
  expect(answer.rows).toEqual([{ one: 1 }]);

  for (const stream of stalled) await stream.return();
  const after = selects.batches(request, signal);
  expect((await after.next()).done).toBe(false);
  await after.return();
});
