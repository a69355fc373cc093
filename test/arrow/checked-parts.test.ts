import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int32, makeData, Schema } from 'apache-arrow';
import { afterAll, expect, test, vi } from 'vitest';
import { BlockCache } from '../../src/arrow/block-cache.ts';
import { BlockFile } from '../../src/arrow/block-file.ts';
import { BlockFileWriter } from '../../src/arrow/block-file-writer.ts';
import { CheckedParts, fileState } from '../../src/arrow/checked-parts.ts';

const directory = mkdtempSync(join(tmpdir(), 'icecore-checked-parts-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'group.blocks');
const schema = new Schema([new Field('a', new Int32(), false), new Field('b', new Int32(), false)]);
const numbers = (start: number) => Int32Array.from({ length: 100 }, (_, index) => start + index);

function write(start: number, checked: CheckedParts | null = null): void {
  const writer = BlockFileWriter.create(path, 'key', schema, 100, checked);
  const columns = [start, 5000].map((first) => makeData({ type: new Int32(), length: 100, data: numbers(first) }));
  writer.writeRows({ rowCount: 100, columns });
  writer.finish();
}

/** Changes a cell of column a in place. */
function damage(): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([7]), 0, 1, partStart + 40);
  closeSync(file);
}

/** Null where nobody can rely on it. */
function stateNow(): string | null {
  const opened = openSync(path, 'r');
  const state = fileState(opened);
  closeSync(opened);
  return state;
}

/** As if the file had last been changed long ago: only the clock that this process sees goes on, by an hour each time. */
function laterOn<Result>(use: () => Result): Result {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  try {
    return use();
  } finally {
    vi.useRealTimers();
  }
}

/** Where column a begins. */
write(1000);
const partStart = readFileSync(path).indexOf(Buffer.from(numbers(1000).buffer));

const firstCells = (file: BlockFile | null, wanted = [0, 1]) => file?.read(0, wanted)?.map(({ values }) => values[10]) ?? null;

test('what was read and checked once is noticed all the same when it is changed in place, open or not', () => {
  for (const isOpen of [true, false]) {
    const checked = new CheckedParts(10_000);
    write(1000);
    laterOn(() => {
      const file = BlockFile.open(path, 'key', checked);
      for (let time = 0; time < 3; time++) expect(firstCells(file)).toEqual([1010, 5010]);
      damage();
      if (!isOpen) file?.close();
      expect(firstCells(isOpen ? file : BlockFile.open(path, 'key', checked))).toBeNull();
    });
    expect(BlockFile.open(path, 'key')).toBeNull();
  }
});

test('a file that takes the place of another is checked anew, also with the times of that one', () => {
  const checked = new CheckedParts(10_000);
  write(1000);
  laterOn(() => expect(firstCells(BlockFile.open(path, 'key', checked))).toEqual([1010, 5010]));
  const { atime, mtime } = statSync(path);
  const copy = readFileSync(path);
  copy[copy.indexOf(Buffer.from(numbers(1000).buffer)) + 40] = 7;
  writeFileSync(`${path}.new`, copy);
  renameSync(`${path}.new`, path);
  utimesSync(path, atime, mtime);
  laterOn(() => expect(firstCells(BlockFile.open(path, 'key', checked))).toBeNull());
});

test('only the columns that were read count as checked', () => {
  const checked = new CheckedParts(10_000);
  write(1000);
  laterOn(() => {
    const file = BlockFile.open(path, 'key', checked);
    expect(firstCells(file, [1])).toEqual([5010]);
    damage();
    // As if this had been the state when b was checked.
    checked.of(stateNow() ?? '').add([1]);
    expect(firstCells(file, [1])).toEqual([5010]);
    expect(firstCells(file)).toBeNull();
  });
});

test('the check is spared where the file is as it was: a part that counts as checked is read as it stands', () => {
  const checked = new CheckedParts(10_000);
  write(1000);
  damage();
  // Changed a moment ago, nothing is spared.
  expect(stateNow()).toBeNull();
  laterOn(() => {
    checked.of(stateNow() ?? '').add([0, 1]);
    expect(firstCells(BlockFile.open(path, 'key', checked))).toEqual([(1010 & ~0xff) | 7, 5010]);
  });
});

test('a file that was written here needs no check, by any thread, until somebody else writes to it', () => {
  const checked = new CheckedParts(10_000);
  write(1000, checked);
  const state = stateNow() ?? '';
  // At once: it is not taken for one that changes under our hands.
  expect(state).not.toBe('');
  expect(new CheckedParts(checked.memory).of(state).has([0, 1])).toBe(true);
  expect(new CheckedParts(10_000).of(state).has([0])).toBe(false);
  expect(firstCells(BlockFile.open(path, 'key', checked))).toEqual([1010, 5010]);
  damage();
  expect(firstCells(BlockFile.open(path, 'key', checked))).toBeNull();
});

test('whoever writes to it in the moment after is noticed too', () => {
  const checked = new CheckedParts(10_000);
  for (let time = 0; time < 300; time++) {
    write(1000, checked);
    const reader = BlockFile.open(path, 'key', checked);
    if (time % 2 === 0) expect(firstCells(reader)).toEqual([1010, 5010]);
    damage();
    expect(firstCells(reader)).toBeNull();
  }
});

test('a file that the cache was told the use of is checked anew, and then known at once', async () => {
  const checked = new CheckedParts(10_000);
  write(1000, checked);
  const long = Date.now() / 1000 - 3600;
  utimesSync(path, long, long);
  const cache = await BlockCache.open(directory, 1_000_000);
  expect(cache.touch(path)).toBe(true);
  const state = stateNow() ?? '';
  expect(checked.of(state).has([0])).toBe(false);
  expect(firstCells(BlockFile.open(path, 'key', checked))).toEqual([1010, 5010]);
  expect(checked.of(state).has([0, 1])).toBe(true);
});

test('what is known is bounded: what comes later takes the place of what came before', () => {
  const checked = new CheckedParts(100 * 8);
  const states = Array.from({ length: 50 }, (_, index) => `state ${index}`);
  for (const state of states) checked.of(state).add(Array.from({ length: 10 }, (_, part) => part));
  const known = states.flatMap((state) => Array.from({ length: 10 }, (_, part) => checked.of(state).has([part])));
  const count = known.filter((isKnown) => isKnown).length;
  expect(count).toBeGreaterThan(50);
  expect(count).toBeLessThanOrEqual(100);
  expect(known.at(-1)).toBe(true);
  expect(checked.of('another').has([0])).toBe(false);
});
