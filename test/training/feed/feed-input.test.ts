import { expect, test } from 'vitest';
import { feedOrder, feedShare, type TrainingFeedInput } from '../../../src/training/feed/feed-input.ts';

const source = { table: { name: 'raw.rows' } };

test('what is left out takes its default', () => {
  expect(feedOrder({ source })).toEqual({ shuffle: 'WINDOWED', seed: 0n, epoch: 0, lanes: 8 });
  expect(feedShare({ source, batchSize: null })).toEqual({ batchSize: 65_536, rank: 0, worldSize: 1, tail: 'SHORT' });
});

const refused: readonly (readonly [Omit<TrainingFeedInput, 'source'>, string])[] = [
  [{ epoch: -1 }, 'epoch is -1, and must be a whole number from 0 to 2147483647'],
  [{ lanes: 0 }, 'lanes is 0, and must be a whole number from 1 to 64'],
  [{ lanes: 128 }, 'lanes is 128, and must be a whole number from 1 to 64'],
  [{ lanes: 12 }, 'lanes is 12, and must be a power of two'],
  [{ seed: 2n ** 63n }, 'seed is 9223372036854775808, which has more than 64 bits'],
  [{ batchSize: 0 }, 'batchSize is 0, and must be a whole number from 1 to 1048576'],
  [{ batchSize: 2 ** 20 + 1 }, 'batchSize is 1048577, and must be a whole number from 1 to 1048576'],
  [{ worldSize: 65_537 }, 'worldSize is 65537, and must be a whole number from 1 to 65536'],
  [
    { rank: 2, worldSize: 2 },
    'rank is 2, and must be a whole number from 0 to 1: ranks count from 0, and there are as many as worldSize says',
  ],
];

test.each(refused)('%o is refused with what may stand there', (input, reason) => {
  const parse = () => [feedOrder({ source, ...input }), feedShare({ source, ...input })];
  expect(parse).toThrow(`The training feed cannot be read so: ${reason}.`);
});
