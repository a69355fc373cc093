import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { SqliteCatalog } from '../../src/catalog/sqlite-catalog.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import type { AnyLedgerTable } from '../../src/ledger/ledger-table.ts';

/** A catalog in a directory of its own with as many connections and ledgers as a test opens; all closed and removed at the end. */
export class LedgerBench {
  readonly directory: string;
  readonly #clock: Clock;
  readonly #closing: (() => Promise<void>)[] = [];

  private constructor(directory: string, clock: Clock) {
    this.directory = directory;
    this.#clock = clock;
  }

  static async open(clock: Clock = systemClock): Promise<LedgerBench> {
    return new LedgerBench(await mkdtemp(join(tmpdir(), 'icecore-ledger-')), clock);
  }

  async catalog(): Promise<Catalog> {
    const catalog = await SqliteCatalog.open(join(this.directory, 'catalog.db'), this.#clock);
    this.#closing.push(() => catalog.close());
    return catalog;
  }

  /** A ledger whose rows stay in the journal: for what does not depend on Iceberg. */
  async journalLedger(catalog: Catalog, tables: readonly AnyLedgerTable[], index = 'index'): Promise<Ledger> {
    return Ledger.open({
      catalog,
      store: journalOnly,
      indexDirectory: join(this.directory, index),
      tables,
      flushIntervalMs: null,
    });
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
    await rm(this.directory, { recursive: true, force: true });
  }
}

const uuid = randomUUID();

const journalOnly: LedgerStore = {
  ensure: async (tables) => tables.map(() => uuid),
  rowsAfter: async function* () {},
  flush: () => Promise.reject(new Error('This ledger keeps its rows in the journal.')),
  tidy: async () => false,
};
