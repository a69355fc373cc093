import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { duckDbLeasesMax, duckDbStreamingBufferBytes } from '../limits.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Engine } from './engine.ts';
import { quoteText } from './quote.ts';
import { createSpillDirectory } from './spill-directory.ts';

export interface DuckDbOptions {
  /** Where sorts and joins spill; a directory of this process's own is made below it. */
  readonly spillDirectory: string;
  /** Of each of the two instances. */
  readonly memoryBytesMax: number;
  readonly threads: number;
  /** Directories, or prefixes of URLs, that the guarded instance may read: the warehouse and the caches, nothing else. */
  readonly readableDirectories: readonly string[];
  /** Run on both instances before they are locked, such as `LOAD '…/httpfs.duckdb_extension'` and `CREATE SECRET …`. */
  readonly setup?: readonly string[];
}

/**
 * DuckDB in the process: one instance for Icecore's own statements, which reads and writes files, and one for callers'
 * SELECTs, which can read the warehouse alone and change no setting. Both in UTC, both without extensions from the network.
 * The guarded one is the second wall: the first is that callers' statements are checked and rewritten (`select.ts`).
 */
export class DuckDb {
  readonly trusted: ConnectionPool;
  readonly guarded: ConnectionPool;
  readonly #engines: readonly Engine[];
  readonly #spillDirectory: string;

  private constructor(engines: readonly [trusted: Engine, guarded: Engine], spillDirectory: string) {
    // Lets the engine run ahead of a reader of a streamed result; at the default of 1 MB it mostly waits. It is a setting of the
    // connection, so the guarded instance, which is locked, cannot have it.
    const streaming = `SET streaming_buffer_size = '${Math.floor(duckDbStreamingBufferBytes / 1024)}KiB'`;
    this.trusted = new ConnectionPool(engines[0], duckDbLeasesMax, streaming);
    this.guarded = new ConnectionPool(engines[1], duckDbLeasesMax);
    this.#engines = engines;
    this.#spillDirectory = spillDirectory;
  }

  static async open(options: DuckDbOptions): Promise<DuckDb> {
    const spillDirectory = await createSpillDirectory(options.spillDirectory);
    const directories = options.readableDirectories.map(readablePrefix);
    let opened = 0;
    // Each instance spills to a directory of its own, also where one takes the place of another.
    const open = (name: string, restrictions: readonly string[]): Promise<Engine> =>
      Engine.open(() => openInstance(`${spillDirectory}/${name}-${opened++}`, options, restrictions));
    const trusted = await open('trusted', []);
    const guarded = await open('guarded', [
      `SET allowed_directories = [${directories.map(quoteText).join(', ')}]`,
      'SET enable_external_access = false',
      'SET lock_configuration = true',
    ]);
    return new DuckDb([trusted, guarded], spillDirectory);
  }

  /** Frees both instances and what they spilled. Leases must have ended. */
  async close(): Promise<void> {
    for (const engine of this.#engines) engine.close();
    await rm(this.#spillDirectory, { recursive: true, force: true });
  }
}

/** DuckDB compares prefixes of text, so a directory ends in a slash and is absolute. */
function readablePrefix(directory: string): string {
  const absolute = /^[a-z0-9]+:\/\//i.test(directory) ? directory : resolve(directory);
  return absolute.endsWith('/') ? absolute : `${absolute}/`;
}

async function openInstance(
  temporaryDirectory: string,
  options: DuckDbOptions,
  restrictions: readonly string[],
): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    temp_directory: temporaryDirectory,
    memory_limit: `${Math.floor(options.memoryBytesMax / 1024)}KiB`,
    threads: String(options.threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    // Rows come back in the order of their files, which `read_parquet` keeps only so.
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  try {
    const settings = [
      "SET GLOBAL TimeZone = 'UTC'",
      'SET allow_persistent_secrets = false',
      ...(options.setup ?? []),
      ...restrictions,
    ];
    for (const setting of settings) await connection.run(setting);
  } finally {
    connection.closeSync();
  }
  return instance;
}
