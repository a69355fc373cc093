import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { printed } from './python-reader.ts';

const minutesToInstall = 5;

describeWith(['python3'], 'The positions of rows, group by group', () => {
  test(
    'are the order read backwards',
    async () => {
      const said = await printed([join(import.meta.dirname, 'check_positions.py'), '6', '100']);
      expect(said).toBe('0 epochs and 0 permutations of 100 differ\n');
    },
    minutesToInstall * 60_000,
  );
});
