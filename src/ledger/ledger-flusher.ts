import { setTimeout as pause } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { takeLease } from '../catalog/lease-owner.ts';
import { IcecoreError } from '../errors.ts';
import {
  journalRetentionMs,
  ledgerFlushLeaseMs,
  ledgerFlushRowsMax,
  ledgerFlushWaitMsMax,
  ledgerTidyFlushes,
} from '../limits.ts';
import { identifierOf } from './ledger-identifier.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { AnyLedgerTable } from './ledger-table.ts';

const lease = 'ledger/flush';

/**
 * Moves entries from the journal to their Iceberg tables, exactly once: the rows and the mark that they were moved are one commit, and
 * that commit holds only while this process has the lease. Several servers may run one; killed at any moment, nothing is lost or doubled.
 */
export class LedgerFlusher {
  readonly #catalog: Catalog;
  readonly #store: LedgerStore;
  readonly #tables: ReadonlyMap<string, AnyLedgerTable>;
  readonly #owner: string;
  readonly #flushes = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #trimmedAtMs = 0;

  constructor(catalog: Catalog, store: LedgerStore, tables: readonly AnyLedgerTable[], owner: string) {
    this.#catalog = catalog;
    this.#store = store;
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    this.#owner = owner;
  }

  start(intervalMs: number): void {
    this.#timer ??= setInterval(() => void this.#tick(), intervalMs).unref();
  }

  /**
   * Resolves when everything that was in the journal at the call is in the Iceberg tables, whoever moved it. `only` narrows it to one
   * table. Throws TIMEOUT where another server holds the lease and does not get on.
   */
  async flush(only?: string): Promise<void> {
    const through = await this.#catalog.headSeq();
    const deadline = performance.now() + ledgerFlushWaitMsMax;
    while (await this.#isPending(through, only)) {
      const moved = await this.#inTurn(() => this.#flushOnce(only));
      if (moved) continue;
      if (performance.now() > deadline) {
        throw new IcecoreError(
          'TIMEOUT',
          'Another server holds the lease on moving journal entries and does not get on; try again.',
          {
            retryable: true,
          },
        );
      }
      await pause(20);
    }
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#running.catch(() => undefined);
  }

  async #tick(): Promise<void> {
    try {
      if ((await this.#catalog.pendingTables()).length > 0) await this.#inTurn(() => this.#flushOnce());
      // The clock of the machine, not of the data: this only paces the work.
      if (performance.now() - this.#trimmedAtMs < journalRetentionMs / 10) return;
      this.#trimmedAtMs = performance.now();
      await this.#catalog.trim(journalRetentionMs);
    } catch (error) {
      // The entries are safe in the journal, and the next tick tries again.
      process.emitWarning(`Journal entries could not be moved yet: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** One at a time within the process: two would only race for the lease's one commit. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#running.then(work, work);
    this.#running = turn;
    return turn;
  }

  async #isPending(through: bigint, only?: string): Promise<boolean> {
    const names = (await this.#catalog.pendingTables()).filter((name) => this.#tables.has(name) && (only ?? name) === name);
    for (const name of names) {
      const { entries } = await this.#catalog.systemTable(name, identifierOf(name));
      if (entries.some((entry) => entry.seq <= through)) return true;
    }
    return false;
  }

  /** False where another server has the lease. */
  async #flushOnce(only?: string): Promise<boolean> {
    const fence = await takeLease(this.#catalog, lease, this.#owner, ledgerFlushLeaseMs);
    if (fence === null) return false;
    try {
      for (const name of await this.#catalog.pendingTables()) {
        const table = this.#tables.get(name);
        if (table === undefined || (only ?? name) !== name) continue;
        for (let isLeft = true; isLeft; ) {
          if (!(await this.#catalog.renewLease(lease, this.#owner, fence, ledgerFlushLeaseMs))) return false;
          const { entries } = await this.#catalog.systemTable(name, identifierOf(name));
          if (entries.length > 0) await this.#store.flush(table, entries.slice(0, ledgerFlushRowsMax), { lease, fence });
          isLeft = entries.length > ledgerFlushRowsMax;
          await this.#tidy(table, fence);
        }
      }
      return true;
    } finally {
      await this.#catalog.releaseLease(lease, this.#owner, fence);
    }
  }

  async #tidy(table: AnyLedgerTable, fence: bigint): Promise<void> {
    const flushes = (this.#flushes.get(table.name) ?? 0) + 1;
    this.#flushes.set(table.name, flushes % ledgerTidyFlushes);
    if (flushes < ledgerTidyFlushes) return;
    if (await this.#catalog.renewLease(lease, this.#owner, fence, ledgerFlushLeaseMs))
      await this.#store.tidy(table, { lease, fence });
  }
}
