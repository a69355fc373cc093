import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Data, Schema } from 'apache-arrow';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { BlockFile } from '../../src/arrow/block-file.ts';
import { BlockFileWriter } from '../../src/arrow/block-file-writer.ts';
import { cellsOf, randomColumn, randomNumbers, schemas } from './random-columns.ts';

const directory = mkdtempSync(join(tmpdir(), 'icecore-block-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

const path = join(directory, 'group.blocks');
const key = 's3://bucket/ä file.parquet;4711;0;all;1:int';

function columnsOf(schema: Schema, rowCount: number, seed: number): readonly Data[] {
  const random = randomNumbers(seed);
  return schema.fields.map(({ type }) => randomColumn(type, rowCount, random));
}

function opened(): BlockFile {
  const file = BlockFile.open(path, key);
  if (file === null) throw new Error('The file is not there.');
  return file;
}

function readAll(file: BlockFile): readonly (readonly unknown[][])[] | null {
  const blocks = file.rowCounts.map((_, block) => file.read(block));
  file.close();
  return blocks.every((block) => block !== null) ? blocks.map((block) => block.map((data) => [...cellsOf(data)])) : null;
}

/** A file of every kind of column: two blocks. */
function writeSample(): readonly (readonly unknown[][])[] {
  const schema = fc.sample(schemas, { seed: 5, numRuns: 40 }).find(({ fields }) => fields.length === 4) as Schema;
  const writer = BlockFileWriter.create(path, key, schema, 20);
  const blocks = [20, 7].map((rowCount, seed) => ({ rowCount, columns: columnsOf(schema, rowCount, seed + 1) }));
  for (const block of blocks) writer.write(block);
  writer.finish();
  return blocks.map(({ columns }) => columns.map((data) => [...cellsOf(data)]));
}

describe('A block file', () => {
  test('gives back what was written, block by block, of any schema', () => {
    const blockRows = fc.array(fc.nat({ max: 40 }), { maxLength: 4 });
    fc.assert(
      fc.property(schemas, blockRows, fc.nat(), (schema, rows, seed) => {
        const writer = BlockFileWriter.create(path, key, schema, 40);
        const blocks = rows.map((rowCount, block) => ({ rowCount, columns: columnsOf(schema, rowCount, seed + block) }));
        for (const block of blocks) writer.write(block);
        const bytes = writer.finish();
        const file = opened();
        expect(file.rowCounts).toEqual(rows);
        expect(file.bytes).toBe(bytes);
        expect(String(file.schema)).toBe(String(schema));
        expect(file.schema.fields.map(({ metadata }) => metadata)).toEqual(schema.fields.map(({ metadata }) => metadata));
        expect(readAll(file)).toEqual(blocks.map(({ columns }) => columns.map(cellsOf)));
      }),
      { numRuns: 120 },
    );
  });

  test('is the same whether written column by column, in any order, or in blocks cut from the whole', () => {
    fc.assert(
      fc.property(
        schemas,
        fc.nat({ max: 100 }),
        fc.integer({ min: 1, max: 40 }),
        fc.nat(),
        (schema, rowCount, blockRows, seed) => {
          const columns = columnsOf(schema, rowCount, seed);
          const writer = BlockFileWriter.create(path, key, schema, blockRows);
          const order = [...columns.keys()].sort((a, b) => ((a * 7 + seed) % 5) - ((b * 7 + seed) % 5));
          for (const column of order) writer.writeColumn(column, columns[column] as Data);
          writer.finish();
          const byColumn = opened();
          const { rowCounts } = byColumn;
          const cells = readAll(byColumn);
          expect(schema.fields.map((_, column) => cells?.flatMap((block) => block[column]))).toEqual(
            columns.map((data) => (rowCount === 0 ? [] : cellsOf(data))),
          );
          expect(rowCounts.slice(0, -1).every((count) => count === blockRows)).toBe(true);
          const cut = BlockFileWriter.create(path, key, schema, blockRows);
          cut.writeRows({ rowCount, columns });
          cut.finish();
          expect(readAll(opened())).toEqual(cells);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('takes rows of other blocks, and gives the columns that are wanted', () => {
    fc.assert(
      fc.property(schemas, fc.nat({ max: 60 }), fc.nat(), (schema, rowCount, seed) => {
        const random = randomNumbers(seed);
        const sources = [0, 1, 2].map(() => schema.fields.map(({ type }) => randomColumn(type, 30, random)));
        const picked = Array.from({ length: rowCount }, () => [Math.floor(random() * 3), Math.floor(random() * 30)] as const);
        const writer = BlockFileWriter.create(path, key, schema, 60);
        const picks = picked.map(([block, row], at) => ({ block, rows: Uint32Array.of(row), from: 0, count: 1, at, stride: 1 }));
        writer.writePicks(sources, picks, rowCount);
        writer.finish();
        const file = opened();
        const cells = sources.map((columns) => columns.map(cellsOf));
        const wanted = [...schema.fields.keys()].reverse().filter(() => random() < 0.7);
        const read = file.read(0, wanted) ?? [];
        expect(read.map(cellsOf)).toEqual(wanted.map((column) => picked.map(([block, row]) => cells[block]?.[column]?.[row])));
        file.close();
      }),
      { numRuns: 120 },
    );
  });

  test('of the same rows has the same bytes', () => {
    writeSample();
    const bytes = readFileSync(path);
    writeSample();
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('cut off at any byte is not there, and is removed', () => {
    writeSample();
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length += 1 + (length % 3)) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(BlockFile.open(path, key)).toBeNull();
      expect(readdirSync(directory)).toEqual([]);
    }
    writeFileSync(path, bytes);
    appendFileSync(path, 'x');
    expect(BlockFile.open(path, key)).toBeNull();
  });

  test('with a changed byte is never read as other cells: it is noticed at open or at the block that it lies in', () => {
    const cells = writeSample();
    const bytes = readFileSync(path);
    const noticed = { atOpen: 0, atRead: 0 };
    for (let place = 0; place < bytes.length; place++) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ (1 << (place % 8));
      writeFileSync(path, changed);
      const file = BlockFile.open(path, key);
      if (file === null) noticed.atOpen++;
      else {
        const blocks = file.rowCounts.map(
          (_, block) =>
            BlockFile.open(path, key)
              ?.read(block)
              ?.map((data) => [...cellsOf(data)]) ?? null,
        );
        expect(blocks.filter((block) => block === null).length).toBeGreaterThan(0);
        for (const [block, found] of blocks.entries()) if (found !== null) expect(found).toEqual(cells[block]);
        noticed.atRead++;
        file.close();
      }
      expect(readdirSync(directory)).toEqual([]);
    }
    expect(noticed.atOpen).toBeGreaterThan(100);
    expect(noticed.atRead).toBeGreaterThan(100);
  });

  test('cut off while it is open reads as null, and goes on doing so', () => {
    writeSample();
    const file = opened();
    truncateSync(path, file.bytes / 2);
    expect(file.read(1)).toBeNull();
    expect(file.read(0)).toBeNull();
    expect(readdirSync(directory)).toEqual([]);
    file.close();
  });

  test('of another key is not there', () => {
    writeSample();
    expect(BlockFile.open(path, `${key},2:long`)).toBeNull();
    expect(BlockFile.open(path, key)).toBeNull();
    expect(BlockFile.open(directory, key)).toBeNull();
  });

  test('appears when it is whole: what is abandoned or under way is not seen', () => {
    writeSample();
    rmSync(path);
    const [schema] = fc.sample(schemas, { seed: 1, numRuns: 1 }) as [Schema];
    const writer = BlockFileWriter.create(path, key, schema, 10);
    writer.write({ rowCount: 10, columns: columnsOf(schema, 10, 1) });
    expect(BlockFile.open(path, key)).toBeNull();
    expect(readdirSync(directory)).toHaveLength(1);
    writer.abandon();
    expect(readdirSync(directory)).toEqual([]);
    expect(() => writer.finish()).toThrow('is closed');
  });

  test('is still read after its name is gone, and its writer says so where it was removed', () => {
    const cells = writeSample();
    const file = opened();
    rmSync(path);
    expect(readAll(file)).toEqual(cells);
    const inner = join(directory, 'inner', 'group.blocks');
    const [schema] = fc.sample(schemas, { seed: 1, numRuns: 1 }) as [Schema];
    const writer = BlockFileWriter.create(inner, key, schema, 10);
    rmSync(join(directory, 'inner'), { recursive: true });
    expect(() => writer.finish()).toThrow('was emptied while a file of it was written');
    mkdirSync(join(directory, 'inner'));
    rmSync(join(directory, 'inner'), { recursive: true });
  });

  test('refuses blocks that do not fit it', () => {
    const [schema] = fc.sample(schemas, { seed: 1, numRuns: 1 }) as [Schema];
    const writer = BlockFileWriter.create(path, key, schema, 10);
    expect(() => writer.write({ rowCount: 11, columns: columnsOf(schema, 11, 1) })).toThrow('takes blocks of 10 rows');
    expect(() => writer.write({ rowCount: 9, columns: columnsOf(schema, 8, 1) })).toThrow('has a block of 9 rows, and 8');
    const halfWrong = () => [...columnsOf(schema, 9, 1).slice(0, -1), columnsOf(schema, 8, 1).at(-1) as Data];
    expect(() => writer.write({ rowCount: 9, columns: halfWrong() })).toThrow('has a block of 9 rows, and 8');
    // Which is nothing to another.
    const cells = writeSample();
    expect(readAll(opened())).toEqual(cells);
    expect(() => writer.writeColumn(0, columnsOf(schema, 8, 1)[0] as Data)).toThrow('is written block by block');
    writer.abandon();
  });
});
