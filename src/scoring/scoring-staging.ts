import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from '../iceberg/json.ts';
import { recordedInput } from '../runs/recorded-input.ts';
import type { LocalCopy } from '../storage/storage.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

/** What a run's rows were read from, written once: every later go at the run scores the same rows. */
export interface StagedInput {
  readonly rowCount: number;
  readonly spineSources: readonly TableSnapshotRef[];
  readonly featureSources: readonly TableSnapshotRef[];
  /** The file of rows. Each go that gets so far writes its own; the manifest names the one that counts. */
  readonly location: string;
}

/** The answers to a batch, kept until the run commits. */
export interface StagedBatch {
  readonly index: number;
  readonly firstRow: number;
  /** Microseconds since the epoch. */
  readonly scoredAtMicros: string;
  /** What the endpoint said it was; null where no row could be sent. */
  readonly identity: { readonly model: string | null; readonly version: string | null } | null;
  /** By row of the batch. */
  readonly featuresSha256: readonly string[];
  /** By row: why it failed, null where it did not. */
  readonly errors: readonly (string | null)[];
  /** By output of the signature, then by row; null where the row failed. */
  readonly outputs: readonly (readonly unknown[])[];
}

/** Where a run keeps what it has so far, below the warehouse: files that appear whole, the first of a name wins. */
export class ScoringStaging {
  readonly #tables: Tables;
  readonly #directory: string;

  constructor(tables: Tables, runId: string) {
    this.#tables = tables;
    this.#directory = `${stagingDirectory(tables)}/${runId}`;
  }

  async input(): Promise<StagedInput | null> {
    const bytes = await this.#readIfThere(`${this.#directory}/input.json`);
    if (bytes === null) return null;
    return recordedInput(parseJson(bytes), new Set(['snapshotId'])) as StagedInput;
  }

  /** Moves a finished Parquet file in as the run's rows. Gives what counts: another server's, where that was first. */
  async putInput(localPath: string, fileName: string, staged: Omit<StagedInput, 'location'>): Promise<StagedInput> {
    const location = `${this.#directory}/${fileName}.parquet`;
    await this.#tables.storage.publish(localPath, location);
    await this.#writeOnce(`${this.#directory}/input.json`, printText({ ...staged, location }));
    return (await this.input()) ?? { ...staged, location };
  }

  async openInput({ location }: StagedInput): Promise<LocalCopy> {
    return await this.#tables.storage.open(location);
  }

  /** The numbers of the batches that were answered. */
  async answered(): Promise<ReadonlySet<number>> {
    const found = new Set<number>();
    for await (const { location } of this.#tables.storage.list(this.#directory)) {
      const number = /\/batch-(\d+)\.json$/.exec(location)?.[1];
      if (number !== undefined) found.add(Number(number));
    }
    return found;
  }

  async putBatch(batch: StagedBatch): Promise<void> {
    await this.#writeOnce(this.#batchLocation(batch.index), printJson(batch));
  }

  async batch(index: number): Promise<StagedBatch> {
    const bytes = await this.#tables.storage.read(this.#batchLocation(index));
    return parseJson(Buffer.from(bytes).toString('utf8')) as StagedBatch;
  }

  async remove(): Promise<void> {
    const locations: string[] = [];
    for await (const { location } of this.#tables.storage.list(this.#directory)) locations.push(location);
    await this.#tables.storage.remove(locations);
  }

  #batchLocation(index: number): string {
    return `${this.#directory}/batch-${String(index).padStart(8, '0')}.json`;
  }

  async #writeOnce(location: string, text: string): Promise<void> {
    try {
      await this.#tables.storage.write(location, Buffer.from(text), { ifAbsent: true });
    } catch (error) {
      if (!IcecoreError.is(error, 'ALREADY_EXISTS')) throw error;
    }
  }

  async #readIfThere(location: string): Promise<string | null> {
    try {
      return Buffer.from(await this.#tables.storage.read(location)).toString('utf8');
    } catch (error) {
      if (IcecoreError.is(error, 'NOT_FOUND')) return null;
      throw error;
    }
  }
}

/** The runs that have anything staged. */
export async function stagedRuns(tables: Tables): Promise<readonly string[]> {
  const prefix = stagingDirectory(tables);
  const runs = new Set<string>();
  for await (const { location } of tables.storage.list(prefix)) {
    const run = location.slice(prefix.length).split('/')[1];
    if (run !== undefined) runs.add(run);
  }
  return [...runs];
}

/** A local path for a file on its way to staging. */
export async function localStagingPath(tables: Tables, fileName: string): Promise<string> {
  const path = `${tables.stagingDirectory}/${fileName}.parquet`;
  await mkdir(dirname(path), { recursive: true });
  return path;
}

function stagingDirectory({ warehouse }: Tables): string {
  return `${warehouse.replace(/\/+$/, '')}/.icecore/staging`;
}

function printText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}
