import { expect, test } from 'vitest';
import type { CatalogChange } from '../../src/catalog/catalog.ts';
import type { Outcome } from '../../src/catalog/postgres/commit-batch.ts';
import { WriteQueue } from '../../src/catalog/postgres/write-queue.ts';
import { IcecoreError } from '../../src/errors.ts';

const change = (subject: string): CatalogChange => ({ entries: [{ table: 't', subject, row: '{}' }] });
const kept = (headSeq: bigint): Outcome => ({ kept: true, commit: { seqs: [headSeq] }, headSeq });

test('what is asked for while a batch is written shares the next one; each has its own answer', async () => {
  const batches: number[] = [];
  const queue = new WriteQueue(
    async (changes) => {
      batches.push(changes.length);
      await new Promise((turn) => setImmediate(turn));
      return changes.map(({ entries }, index) =>
        entries?.[0]?.subject === 'refused' ? { kept: false, error: new Error('refused') } : kept(BigInt(index)),
      );
    },
    () => false,
  );
  const heads: bigint[] = [];
  const ask = (subject: string) => queue.enqueue(change(subject), (head) => heads.push(head));
  const first = [ask('a'), ask('b')];
  await new Promise((turn) => setImmediate(turn));
  const later = [ask('c'), ask('refused'), ask('e')];
  const outcomes = await Promise.allSettled([...first, ...later]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(batches).toEqual([2, 3]);
  expect(heads).toEqual([0n, 1n, 0n, 2n]);
});

test('a change that spoils a batch fails alone; an error that is nobody’s fails all', async () => {
  const spoilt = new IcecoreError('BAD_USER_INPUT', 'cannot be stored');
  const lost = new IcecoreError('OVERLOADED', 'cannot be reached');
  const queue = new WriteQueue(
    async (changes) => {
      const subjects = changes.map(({ entries }) => entries?.[0]?.subject);
      if (subjects.includes('lost')) throw lost;
      if (subjects.includes('spoilt')) throw spoilt;
      return changes.map(() => kept(1n));
    },
    (error) => error === spoilt,
  );
  const settled = (subjects: readonly string[]) =>
    Promise.allSettled(subjects.map((subject) => queue.enqueue(change(subject), () => undefined)));
  expect(await settled(['a', 'spoilt', 'b'])).toMatchObject([
    { status: 'fulfilled' },
    { reason: spoilt },
    { status: 'fulfilled' },
  ]);
  expect(await settled(['a', 'lost', 'b'])).toMatchObject([{ reason: lost }, { reason: lost }, { reason: lost }]);
  await queue.close();
  await expect(queue.enqueue(change('late'), () => undefined)).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
});
