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
import { BlockFile } from '../../src/arrow/block-file.ts';
import { BlockFileWriter } from '../../src/arrow/block-file-writer.ts';
import { CheckedParts, fileState } from '../../src/arrow/checked-parts.ts';

const directory = mkdtempSync(join(tmpdir(), 'icecore-checked-parts-'));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'group.blocks');
const schema = new Schema([new Field('a', new Int32(), false), new Field('b', new Int32(), false)]);
const numbers = (start: number) => Int32Array.from({ length: 100 }, (_, index) => start + index);

function write(start: number): void {
  const writer = BlockFileWriter.create(path, 'key', schema, 100);
  const columns = [start, 5000].map((first) => makeData({ type: new Int32(), length: 100, data: numbers(first) }));
  writer.writeRows({ rowCount: 100, columns });
  writer.finish();
}

/** Changes a cell of column a in place. */
function damage(): void {
  const at = readFileSync(path).indexOf(Buffer.from(numbers(1000).buffer));
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([7]), 0, 1, at + 40);
  closeSync(file);
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
    const opened = openSync(path, 'r');
    const state = fileState(opened) ?? '';
    closeSync(opened);
    checked.of(state, 2)[1] = 1;
    expect(firstCells(file, [1])).toEqual([5010]);
    expect(firstCells(file)).toBeNull();
  });
});

test('the check is spared where the file is as it was: a part that counts as checked is read as it stands', () => {
  const checked = new CheckedParts(10_000);
  write(1000);
  damage();
  const opened = openSync(path, 'r');
  // Changed a moment ago, nothing is spared.
  expect(fileState(opened)).toBeNull();
  laterOn(() => {
    checked.of(fileState(opened) ?? '', 2).fill(1);
    expect(firstCells(BlockFile.open(path, 'key', checked))).toEqual([(1010 & ~0xff) | 7, 5010]);
  });
  closeSync(opened);
});

test('what is known is bounded, and what was used longest ago is forgotten', () => {
  const checked = new CheckedParts(1000);
  for (const state of ['a', 'b', 'c', 'd']) checked.of(state, 10).fill(1);
  checked.of('a', 10);
  checked.of('e', 10);
  expect(['a', 'c', 'e'].map((state) => checked.of(state, 10)[0])).toEqual([1, 1, 0]);
  expect(checked.of('b', 10)[0]).toBe(0);
});
