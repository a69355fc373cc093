import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { printed } from './python-reader.ts';

const minutesToInstall = 5;

describeWith(['python3'], 'Columns whose pages hold numbers as they are', () => {
  test(
    'are what pyarrow reads, whatever the writer was told, and damaged ones are left to it',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'icecore-plain-'));
      try {
        const said = await printed([join(import.meta.dirname, 'check_plain.py'), folder]);
        expect(said).toMatch(/^[1-9]\d\d+ plain, 0 differ\n$/);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    minutesToInstall * 60_000,
  );
});
