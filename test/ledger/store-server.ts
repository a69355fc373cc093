import { join } from 'node:path';
import { fileAnchor } from '../../src/audit/anchor.ts';
import { Audit } from '../../src/audit/audit.ts';
import { auditLog } from '../../src/audit/audit-entry.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { SqliteCatalog } from '../../src/catalog/sqlite-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { IcebergLedgerStore } from '../../src/ledger/iceberg-ledger-store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { DuckDb } from '../../src/sql/duckdb.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { Tables } from '../../src/tables/tables.ts';
import { noteLog, notes } from './notes-table.ts';

export interface StoreServer {
  readonly catalog: SqliteCatalog;
  readonly tables: Tables;
  readonly ledger: Ledger;
  readonly audit: Audit;
  close(): Promise<void>;
}

/** The ledger and the audit chain of one server over a directory that others may have open, or have had. */
export async function openStoreServer(directory: string, index: string, flushIntervalMs: number | null): Promise<StoreServer> {
  const clock = systemClock;
  const duckdb = await DuckDb.open({
    spillDirectory: join(directory, 'spill'),
    memoryBytesMax: 256 * 1024 * 1024,
    threads: 1,
    readableDirectories: [directory],
  });
  const catalog = await SqliteCatalog.open(join(directory, 'catalog.db'), clock);
  const tables = new Tables({
    catalog,
    storage: new LocalStorage({ roots: [directory] }),
    duckdb,
    clock,
    warehouse: `file://${directory}/warehouse`,
    stagingDirectory: join(directory, 'staging'),
  });
  const ledger = await Ledger.open({
    catalog,
    store: new IcebergLedgerStore(tables),
    indexDirectory: join(directory, index),
    tables: [notes, noteLog, auditLog],
    flushIntervalMs,
  });
  const signingKey = await SigningKey.load(join(directory, 'key.pem'));
  const anchor = fileAnchor(join(directory, 'anchor.jsonl'));
  const audit = new Audit({ catalog, ledger, clock, signingKey, anchor, workDirectory: directory });
  return {
    catalog,
    tables,
    ledger,
    audit,
    close: async () => {
      await audit.close();
      await ledger.close();
      await catalog.close();
      await duckdb.close();
    },
  };
}
