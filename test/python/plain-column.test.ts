import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { printed } from './python-reader.ts';

const installMs = 5 * 60_000;

describeWith(['python3'], 'Columns whose pages hold numbers as they are', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'icecore-plain-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test(
    'are what pyarrow reads, whatever the writer was told',
    async () => {
      const said = await printed([join(import.meta.dirname, 'check_plain.py'), folder]);
      expect(said).toMatch(/^[1-9]\d\d+ plain, 0 differ\n$/);
    },
    installMs,
  );

  test(
    'are left to pyarrow where they are damaged, which refuses what its checksum gives away',
    async () => {
      expect(await printed([join(import.meta.dirname, 'check_damaged.py'), folder])).toBe('0 wrong\n');
    },
    installMs,
  );
});
