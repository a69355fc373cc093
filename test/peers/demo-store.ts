import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Api } from '../../demo/api.ts';
import { freePort, type Served, startIcecore } from '../../demo/processes.ts';
import { keyOf, storeAt } from '../../demo/store.ts';
import { openCatalog } from '../../src/catalog/open-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { printIdentifier } from '../../src/iceberg/identifier.ts';
import { parseJson } from '../../src/iceberg/json.ts';
import type { TableMetadata } from '../../src/iceberg/metadata.ts';
import { readMetadata } from '../../src/iceberg/metadata-json.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { runDemo } from '../demo/run-demo.ts';
import { writeEveryType } from './every-type.ts';

export interface StoredTable {
  readonly name: string;
  readonly metadataLocation: string;
  readonly metadata: TableMetadata;
}

/** A table at one of its snapshots; `snapshotId` null where it never had one. */
export interface TableAtSnapshot {
  readonly table: StoredTable;
  readonly snapshotId: bigint | null;
}

/** What the demo leaves, and a table of every type beside it, with the server on it that answers for Icecore. */
export class DemoStore {
  readonly directory: string;
  readonly tables: readonly StoredTable[];
  readonly #api: Api;
  readonly #server: Served;

  private constructor(directory: string, tables: readonly StoredTable[], api: Api, server: Served) {
    this.directory = directory;
    this.tables = tables;
    this.#api = api;
    this.#server = server;
  }

  static async make(): Promise<DemoStore> {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-peers-'));
    const demo = await runDemo(join(directory, 'store'));
    if (demo.exitCode !== 0) throw new Error(demo.output);
    return await DemoStore.open(directory);
  }

  /** Serves what a demo left in `store` of the directory. */
  static async open(directory: string): Promise<DemoStore> {
    const store = storeAt(join(directory, 'store'));
    const server = await startIcecore(store, { port: await freePort(0), warehouse: null, modelOrigin: 'http://127.0.0.1:1' });
    const api = new Api(server.url, keyOf(store, 'ada'));
    await writeEveryType(api);
    return new DemoStore(directory, await storedTables(store.directory), api, server);
  }

  async close(): Promise<void> {
    await this.#server.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Every table as it is now. */
  currentTables(): readonly TableAtSnapshot[] {
    return this.tables.map((table) => ({ table, snapshotId: table.metadata.currentSnapshotId }));
  }

  /** A table at every snapshot in its log. */
  history(name: string): readonly TableAtSnapshot[] {
    const table = this.tables.find((candidate) => candidate.name === name);
    if (table === undefined) throw new Error(`the store has no table ${name}`);
    const logged = new Set(table.metadata.snapshotLog.map((entry) => entry.snapshotId));
    const there = table.metadata.snapshots.filter(({ snapshotId }) => logged.has(snapshotId));
    return there.map(({ snapshotId }) => ({ table, snapshotId }));
  }

  /** The rows that Icecore gives, each as JSON with its columns by name, in no order. */
  async rows({ table, snapshotId }: TableAtSnapshot): Promise<readonly string[]> {
    const rows: string[] = [];
    let after: string | null = null;
    do {
      const answer: RowsAnswer = await this.#api.ask<RowsAnswer>(rowsQuery, {
        name: table.name,
        asOf: snapshotId === null ? null : { snapshotId: String(snapshotId) },
        after,
      });
      const page: RowsAnswer['table']['rows'] = answer.table.rows;
      rows.push(...page.rows.map(comparable));
      after = page.hasNextPage ? page.endCursor : null;
    } while (after !== null);
    return rows;
  }
}

const rowsQuery = `query ($name: String!, $asOf: AsOf, $after: String) {
  table(name: $name) { rows(asOf: $asOf, first: 1000, after: $after) { rows endCursor hasNextPage } } }`;

interface RowsAnswer {
  readonly table: {
    readonly rows: { readonly rows: readonly unknown[]; readonly endCursor: string | null; readonly hasNextPage: boolean };
  };
}

/** A row as text that is equal for equal rows: neither columns nor the entries of a map have an order. */
export function comparable(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (Array.isArray(value)) return value.every(isPair) ? value.toSorted(byFirst) : value;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).toSorted(byFirst));
  });
}

function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function byFirst([a]: readonly [unknown, unknown], [b]: readonly [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** The tables of the catalog, `icecore.*` included, as they stand in storage at this moment. */
async function storedTables(directory: string): Promise<readonly StoredTable[]> {
  const catalog = await openCatalog(`sqlite:${directory}/catalog.sqlite`, systemClock);
  const storage = new LocalStorage({ roots: [directory] });
  try {
    const pointers = await catalog.list({ limit: 1000 });
    return await Promise.all(
      pointers.map(async ({ identifier, metadataLocation }) => {
        const text = Buffer.from(await storage.read(metadataLocation)).toString('utf8');
        return { name: printIdentifier(identifier), metadataLocation, metadata: readMetadata(parseJson(text), metadataLocation) };
      }),
    );
  } finally {
    await catalog.close();
  }
}
