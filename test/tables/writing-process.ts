/**
 * A process of writers: `node writing-process.ts ORDER`, an order as JSON. Each writer makes its changes one after another, each under an
 * idempotency key, and says `done WRITER NUMBER` or `refused WRITER NUMBER` once it is certain.
 */
import { writeSync } from 'node:fs';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { DuckDb } from '../../src/sql/duckdb.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { type Change, changeOf, type WritingOrder } from './writing-order.ts';

const order = JSON.parse(process.argv[2] ?? '') as WritingOrder;
const { directory } = order;
const identifier = parseIdentifier(order.table);
const catalog = await openCatalog(order.catalog, systemClock);
const duckdb = await DuckDb.open({
  spillDirectory: `${directory}/spill`,
  memoryBytesMax: 256 * 1024 * 1024,
  threads: 1,
  readableDirectories: [directory],
});
const tables = new Tables({
  catalog,
  storage: new LocalStorage({ roots: [directory] }),
  duckdb,
  clock: systemClock,
  warehouse: `file://${directory}/warehouse`,
  stagingDirectory: `${directory}/staging`,
});

async function make(change: Change, key: string): Promise<void> {
  if (change.kind === 'COMPACT') await compactTable(tables, { identifier });
  else if (change.kind === 'EXPIRE') await expireTable(tables, { identifier, olderThanMs: Date.now(), keepLast: 30 });
  else {
    const { mode, rows } = change;
    await writeRows(tables, {
      identifier,
      mode,
      rows: { json: rows },
      ...(mode === 'APPEND' ? {} : { keys: ['id'] }),
      record: (transaction) =>
        transaction.claim({ scope: 'test', key, inputSha256: key, answer: '{}', expiresAtMs: Date.now() + 3_600_000 }),
    });
  }
}

async function write(writer: number, from: number): Promise<void> {
  for (let number = from; number < order.changesOfEach; number++) {
    const key = `${writer}/${number}`;
    const say = (what: string): number => writeSync(1, `${what} ${writer} ${number}\n`);
    // What was committed before the process died is not made again.
    if ((await catalog.answer('test', key)) !== null) {
      say('done');
      continue;
    }
    try {
      await make(changeOf(order.seed, writer, number), key);
      say('done');
    } catch (error) {
      if (!IcecoreError.is(error, 'CONFLICT')) throw error;
      say('refused');
    }
  }
}

await Promise.all(order.writers.map(({ writer, from }) => write(writer, from)));
await duckdb.close();
await catalog.close();
