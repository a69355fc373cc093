import { Field, Int32, makeData, Schema } from 'apache-arrow';
import { BlockCache } from '../../src/arrow/block-cache.ts';
import { BlockFile } from '../../src/arrow/block-file.ts';
import { BlockFileWriter } from '../../src/arrow/block-file-writer.ts';
import { randomNumbers } from './random-columns.ts';

/**
 * A process that reads and makes files of a cache that others use too: node cache-user.ts DIRECTORY BYTES SEED. Ends with 1 where it reads
 * other cells than those of a key. Prints how many files it made, and how many it found.
 */
const [directory = '', bytesMax = '0', seed = '1'] = process.argv.slice(2);
const schema = new Schema([new Field('n', new Int32(), false)]);
const random = randomNumbers(Number(seed));
const cache = await BlockCache.open(directory, Number(bytesMax));
const counts = { made: 0, found: 0 };
for (let use = 0; use < 400; use++) {
  const number = Math.floor(random() * 40);
  const key = `file ${number}`;
  const path = cache.pathOf(key);
  const unpin = cache.pin(path);
  if (!cache.touch(path)) await make(path, key, number);
  const file = BlockFile.open(path, key);
  // The other process may have removed it by now.
  const [column] = file?.read(0) ?? [];
  file?.close();
  if (column !== undefined) counts.found++;
  if (column !== undefined && !column.values.every((cell: number) => cell === number)) process.exit(1);
  unpin();
}
console.log(JSON.stringify(counts));

async function make(path: string, key: string, number: number): Promise<void> {
  const room = await cache.room(5000);
  const writer = BlockFileWriter.create(path, key, schema, 1000);
  writer.write({
    rowCount: 1000,
    columns: [makeData({ type: new Int32(), data: new Int32Array(1000).fill(number), nullCount: 0 })],
  });
  const bytes = writer.finish();
  room.release();
  await cache.admit(path, bytes);
  counts.made++;
}
