import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { printFeedCursor } from '../../src/training/feed/feed-cursor.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { groups, orders, shares } from '../training/order/order-case.ts';
import { type EpochVector, readEpoch } from '../training/order/order-vectors.ts';

const minutesToInstall = 5;

describeWith(['python3'], 'The Python package icecore', () => {
  let folder: string;
  let python: string;

  /** What the program says, its errors included. */
  const run = (args: readonly string[]): string => {
    const env = { ...process.env, PYTHONPATH: join(folder, 'installed'), PYTHONDONTWRITEBYTECODE: '1' };
    const { stdout, stderr } = spawnSync(python, args, {
      cwd: join(folder, 'python'),
      encoding: 'utf8',
      env,
      maxBuffer: 1 << 24,
    });
    return stdout + stderr;
  };

  beforeAll(() => {
    python = pythonEnvironment(join(import.meta.dirname, 'icecore.lock'));
    folder = mkdtempSync(join(tmpdir(), 'icecore-python-'));
    // A build leaves files beside its sources.
    cpSync(join(import.meta.dirname, '../../python'), join(folder, 'python'), { recursive: true });
    const flags = [
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--no-build-isolation',
      '--target',
      join(folder, 'installed'),
    ];
    expect(run(['-m', 'pip', 'install', ...flags, join(folder, 'python')])).toBe('');
  }, minutesToInstall * 60_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is clean for ruff and mypy', () => {
    expect(run(['-m', 'ruff', 'check', '--no-cache', 'icecore'])).toBe('All checks passed!\n');
    expect(run(['-m', 'ruff', 'format', '--no-cache', '--check', 'icecore'])).toMatch(/^\d+ files already formatted\n$/);
    expect(run(['-m', 'mypy', 'icecore'])).toMatch(/^Success: no issues found in \d+ source files\n$/);
  });

  test('makes the published vectors of the order', () => {
    const vectors = join(import.meta.dirname, '../training/order/order-vectors.json');
    expect(run([join(import.meta.dirname, 'check_order.py'), vectors])).toMatch(/^\d+ vectors, 0 differ\n$/);
  });

  test('orders epochs of all kinds as the server does, row for row', () => {
    const epochs = fc.record({ groups, order: orders, share: shares, rank: fc.nat(), start: fc.nat() }).map((of): EpochVector => {
      const rows = of.groups.reduce((sum, count) => sum + count, 0);
      const { seed, ...order } = of.order;
      const batchSize = rows > 10_000 ? of.share.batchSize * 1000 : of.share.batchSize;
      const read = { rank: of.rank % of.share.worldSize, start: of.start % (rows + 1) };
      return { ...order, ...of.share, ...read, seed: String(seed), groups: of.groups, batchSize };
    });
    const digests = fc.sample(epochs, { seed: 6, numRuns: 300 }).map((each) => ({ ...each, digest: readEpoch(each).digest }));
    const vectors = join(folder, 'epochs.json');
    writeFileSync(vectors, JSON.stringify({ digests }));
    expect(run([join(import.meta.dirname, 'check_order.py'), vectors])).toBe('300 vectors, 0 differ\n');
  });

  test('refuses what is no cursor of this order', () => {
    const decode = (text: string) =>
      run(['-c', `import sys; from icecore.cursor import Cursor; print(Cursor.decode(sys.argv[1]))`, text]);
    expect(decode('WzFd.00000000')).toContain('ValueError: This is no cursor of a training feed');
    expect(decode('')).toContain('ValueError: This is no cursor of a training feed');
    const cursor = { snapshotId: 1n, filterHash: '', shuffle: 'WINDOWED', seed: 0n, epoch: 0, lanes: 8, position: 5n } as const;
    expect(decode(printFeedCursor(cursor))).toContain('position=5');
    expect(decode(printFeedCursor({ ...cursor, lanes: 3 }))).toContain('ValueError: This is no cursor');
    expect(decode(printFeedCursor(cursor, 'icecore-order/0'))).toContain(
      'ValueError: The cursor is of the order icecore-order/0',
    );
  });
});
