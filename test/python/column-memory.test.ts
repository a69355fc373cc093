import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { printed } from './python-reader.ts';

const installMs = 5 * 60_000;

describeWith(['python3'], 'Memory of columns', () => {
  test(
    'comes back at any moment, also while other memory is looked for',
    async () => {
      expect(await printed([join(import.meta.dirname, 'check_memory.py')])).toBe('300 times, 0 in vain\n');
    },
    installMs,
  );
});
