import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { PostgresServer } from '../environment/postgres.ts';
import { Dice } from './mutation.ts';
import { Warehouse } from './warehouse.ts';
import { appendedFrom, changeOf, sharedFrom, type WritingOrder } from './writing-order.ts';

const script = join(import.meta.dirname, 'writing-process.ts');
const processes = 4;
const writersOfEach = 4;
const writers = processes * writersOfEach;
const seed = Number(process.env.ICECORE_WRITERS_SEED ?? 5);
const changesOfEach = Number(process.env.ICECORE_WRITERS_CHANGES ?? 5);
const kills = Number(process.env.ICECORE_WRITERS_KILLS ?? 5);

let warehouse: Warehouse;
let postgres: PostgresServer;
beforeAll(async () => {
  [warehouse, postgres] = await Promise.all([Warehouse.open(), PostgresServer.start()]);
});
afterAll(async () => {
  await warehouse.close();
  await postgres.stop();
});

/** What each writer has been told, in its order. */
class Journal {
  readonly #told = new Map<number, string[]>();

  tell(writer: number, what: string): void {
    this.#told.set(writer, [...this.of(writer), what]);
  }

  of(writer: number): readonly string[] {
    return this.#told.get(writer) ?? [];
  }

  get length(): number {
    return [...this.#told.values()].reduce((sum, each) => sum + each.length, 0);
  }
}

/** A process of four writers, killed and started again until all that they were to write is certain. */
class Writers {
  readonly #order: Omit<WritingOrder, 'writers'>;
  readonly #numbers: readonly number[];
  readonly #journal: Journal;
  #child: ChildProcess | null = null;
  readonly finished: Promise<void>;

  constructor(order: Omit<WritingOrder, 'writers'>, numbers: readonly number[], journal: Journal, told: () => void) {
    this.#order = order;
    this.#numbers = numbers;
    this.#journal = journal;
    this.finished = this.#run(told);
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async #run(told: () => void): Promise<void> {
    for (;;) {
      const writersLeft = this.#numbers.map((writer) => ({ writer, from: this.#journal.of(writer).length }));
      const order: WritingOrder = { ...this.#order, writers: writersLeft };
      const child = spawn(process.execPath, [script, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] });
      this.#child = child;
      const exited = once(child, 'exit');
      for await (const line of createInterface({ input: child.stdout })) {
        const [what = '', writer = ''] = line.split(' ');
        this.#journal.tell(Number(writer), what);
        told();
      }
      const [code, signal] = await exited;
      if (code === 0) return;
      if (signal !== 'SIGKILL') throw new Error(`A process of writers ended with ${code ?? signal}.`);
    }
  }
}

async function rowsOf(tables: Tables, table: string): Promise<readonly { readonly id: number; readonly n: number }[]> {
  const { rows } = await readRows(tables, await tables.load(parseIdentifier(table)), { first: 1000 });
  return rows.map(({ id, n }) => ({ id: Number(id), n: Number(n) }));
}

test.for([
  ['SQLite', 2, 'copy-on-write'],
  ['Postgres', 3, 'merge-on-read'],
] as const)(
  '16 writers of 4 processes over %s, killed again and again: no acknowledged row is lost, and none is there twice',
  async ([store, formatVersion, mode]) => {
    const { directory, tables: sqlite } = warehouse;
    const uri = store === 'SQLite' ? `sqlite:${directory}/catalog.db` : postgres.uri(await postgres.createDatabase());
    const catalog = store === 'SQLite' ? warehouse.catalog : await openCatalog(uri, systemClock);
    const { storage, duckdb, clock, warehouse: location, stagingDirectory } = sqlite;
    const tables = new Tables({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
    const table = `raw.written_${store.toLowerCase()}`;
    const transaction = tables.transaction();
    transaction.create(parseIdentifier(table), {
      columns: [
        { name: 'id', type: 'long' },
        { name: 'n', type: 'long' },
      ],
      formatVersion,
      properties: { 'write.delete.mode': mode, 'write.merge.mode': mode },
    });
    await transaction.commit();

    const journal = new Journal();
    const dice = new Dice(seed);
    const moments = new Set(Array.from({ length: kills }, () => 3 + dice.below(writers * changesOfEach - 10)));
    const all: Writers[] = [];
    const reads: Promise<unknown>[] = [];
    const told = (): void => {
      if (!moments.delete(journal.length)) return;
      all[dice.below(all.length)]?.kill();
      // Whatever was cut off, the table can be read.
      reads.push(rowsOf(tables, table));
    };
    const order = { catalog: uri, directory, table, seed, changesOfEach };
    for (let each = 0; each < processes; each++) {
      const numbers = Array.from({ length: writersOfEach }, (_, index) => each * writersOfEach + index);
      all.push(new Writers(order, numbers, journal, told));
    }
    await Promise.all(all.map(({ finished }) => finished));
    await Promise.all(reads);

    const found = await rowsOf(tables, table);
    const expected = new Map<number, number>();
    const shared = new Map<number, number[]>();
    for (let writer = 0; writer < writers; writer++) {
      for (const [number, what] of journal.of(writer).entries()) {
        const change = changeOf(seed, writer, number);
        if (what !== 'done' || change.kind !== 'WRITE') continue;
        for (const row of change.rows) {
          if (!('n' in row)) expected.delete(row.id);
          else if (row.id >= sharedFrom && row.id < appendedFrom) shared.set(row.id, [...(shared.get(row.id) ?? []), row.n]);
          else expected.set(row.id, row.n);
        }
      }
    }
    const isShared = ({ id }: { readonly id: number }): boolean => id >= sharedFrom && id < appendedFrom;
    const own = found.filter((row) => !isShared(row));
    expect(own.toSorted((a, b) => a.id - b.id)).toEqual(
      [...expected].toSorted(([a], [b]) => a - b).map(([id, n]) => ({ id, n })),
    );
    const sharedRows = found.filter(isShared);
    expect(sharedRows.map(({ id }) => id).toSorted()).toEqual([...shared.keys()].toSorted());
    for (const { id, n } of sharedRows) expect(shared.get(id)).toContain(n);
    const refused = Array.from({ length: writers }, (_, writer) => journal.of(writer))
      .flat()
      .filter((what) => what !== 'done');
    expect(refused.length).toBeLessThan(writers);
    if (store !== 'SQLite') await catalog.close();
  },
);

test('two servers on one Postgres: a change is computed again for what the other committed to the same keys, and for nothing else', async () => {
  const uri = postgres.uri(await postgres.createDatabase());
  const { storage, duckdb, clock, warehouse: location, stagingDirectory } = warehouse.tables;
  const servers = await Promise.all(
    [1, 2].map(
      async () =>
        new Tables({
          catalog: await openCatalog(uri, systemClock),
          storage,
          duckdb,
          clock,
          warehouse: location,
          stagingDirectory,
        }),
    ),
  );
  const [mine, other] = servers;
  if (mine === undefined || other === undefined) throw new Error('There are two.');
  const pairs = [
    ['UPSERT', 'UPSERT', [1], [1], 2],
    ['UPSERT', 'UPSERT', [9], [9], 2],
    ['DELETE', 'UPSERT', [1], [1], 2],
    ['UPSERT', 'APPEND', [1], [1], 2],
    ['UPSERT', 'APPEND', [1], [50], 1],
    ['DELETE', 'APPEND', [1], [50], 1],
    ['UPSERT', 'UPSERT', [1], [50], 1],
  ] as const;
  for (const [index, [mode, meanwhile, ids, otherIds, times]] of pairs.entries()) {
    const identifier = parseIdentifier(`raw.pair_${index}`);
    const transaction = mine.transaction();
    transaction.create(identifier, {
      columns: [
        { name: 'id', type: 'long' },
        { name: 'n', type: 'long' },
      ],
    });
    await transaction.commit();
    const write = (
      tables: Tables,
      how: 'APPEND' | 'UPSERT' | 'DELETE',
      keys: readonly number[],
      n: number,
      record?: () => Promise<void>,
    ) =>
      writeRows(tables, {
        identifier,
        mode: how,
        rows: { json: keys.map((id) => (how === 'DELETE' ? { id } : { id, n })) },
        ...(how === 'APPEND' ? {} : { keys: ['id'] }),
        ...(record === undefined ? {} : { record }),
      });
    await write(mine, 'APPEND', [1, 2, 3], 0);
    let computed = 0;
    await write(mine, mode, ids, 1, async () => {
      if (computed++ === 0) await write(other, meanwhile, otherIds, 2);
    });
    expect([index, computed]).toEqual([index, times]);
    const found = await rowsOf(other, `raw.pair_${index}`);
    expect(found.filter(({ id }) => ids.some((each) => each === id))).toEqual(
      mode === 'DELETE' ? [] : ids.map((id) => ({ id, n: 1 })),
    );
  }
  for (const { catalog } of servers) await catalog.close();
});
