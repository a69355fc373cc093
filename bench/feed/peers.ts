import { fileURLToPath } from 'node:url';
import { pythonEnvironment } from '../../test/environment/python.ts';
import { type FeedRows, lanceRows, mosaicShards } from './rows.ts';
import type { Reading, Scoreboard } from './scoreboard.ts';

/** Rows of a batch, wherever a reader can say it: the feed's own default. */
export const batchRows = 65_536;
/** Of tensors for a training step. */
export const tensorBatchRows = 4096;

/** The Pythons of the readers: those of one whose packages cannot be installed are null, and it is said. */
export interface Pythons {
  readonly readers: string | null;
  readonly ray: string | null;
  readonly streaming: string | null;
}

export function installPythons(board: Scoreboard): Pythons {
  const install = (lock: string, whose: string): string | null => {
    try {
      return pythonEnvironment(fileURLToPath(new URL(`${lock}.lock`, import.meta.url)));
    } catch (error) {
      board.fail(whose, error);
      return null;
    }
  };
  return {
    readers: install('readers', 'pyarrow, Flight, PyIceberg, DuckDB, Lance and the Python client'),
    ray: install('ray', 'Ray Data'),
    streaming: install('streaming', 'MosaicML Streaming and PyTorch'),
  };
}

export const peerNames = {
  flight: 'pyarrow Flight server',
  dataset: 'pyarrow dataset, threads',
  datasetOneThread: 'pyarrow dataset, one thread',
  parquet: 'pyarrow.parquet',
  pyiceberg: 'PyIceberg',
  duckdb: 'DuckDB from Python',
  lance: 'Lance',
  ray: 'Ray Data',
  mosaic: 'MosaicML Streaming, 2 workers',
  mosaicNoWorkers: 'MosaicML Streaming, no workers',
} as const;

/** The readers in a process of their own, without Lance. `metadata` is the table's, for PyIceberg. */
export function localPeers(rows: FeedRows, python: string, metadata: string): readonly Reading[] {
  const { files } = rows;
  const reading = (name: string, module: string, options: Readonly<Record<string, unknown>>): Reading => ({
    name,
    rows: rows.rows,
    readers: [{ python, module, options: { batchSize: batchRows, ...options } }],
  });
  return [
    reading(peerNames.dataset, 'pyarrow_dataset', { files, threads: true }),
    reading(peerNames.datasetOneThread, 'pyarrow_dataset', { files, threads: false }),
    reading(peerNames.parquet, 'pyarrow_parquet', { files }),
    reading(peerNames.pyiceberg, 'pyiceberg_scan', { metadata }),
    reading(peerNames.duckdb, 'duckdb_reader', { files }),
  ];
}

/** Lance's scan; null where its data set could not be written. */
export async function lancePeer(rows: FeedRows, python: string, board: Scoreboard): Promise<Reading | null> {
  try {
    const options = { directory: await lanceRows(rows, python), batchSize: batchRows };
    return { name: peerNames.lance, rows: rows.rows, readers: [{ python, module: 'lance_scan', options }] };
  } catch (error) {
    board.fail(peerNames.lance, error);
    return null;
  }
}

/** Peers of Python processes of their own, which take long: read once. */
export async function slowPeers(rows: FeedRows, pythons: Pythons, board: Scoreboard): Promise<readonly Reading[]> {
  const readings: Reading[] = [];
  if (pythons.ray !== null) {
    const options = { files: rows.files, batchSize: batchRows };
    readings.push({ name: peerNames.ray, rows: rows.rows, readers: [{ python: pythons.ray, module: 'ray_data', options }] });
  }
  const { streaming } = pythons;
  if (streaming === null) return readings;
  try {
    const shards = await mosaicShards(rows, streaming);
    for (const [name, workers] of [
      [peerNames.mosaic, 2],
      [peerNames.mosaicNoWorkers, 0],
    ] as const) {
      const options = { directory: shards.directory, batchSize: tensorBatchRows, workers };
      readings.push({ name, rows: shards.rows, readers: [{ python: streaming, module: 'streaming_mds', options }] });
    }
  } catch (error) {
    board.fail(peerNames.mosaic, error);
  }
  return readings;
}
