import type { Shuffle } from '../../src/training/feed/feed-input.ts';
import type { IcecoreServer } from './icecore-server.ts';
import { batchRows, tensorBatchRows } from './peers.ts';
import { type FeedRows, numberColumns, tableName } from './rows.ts';
import type { Reading } from './scoreboard.ts';

export const ourNames = {
  firstInOrder: 'feed, first epoch, in order',
  firstShuffled: 'feed, first epoch, shuffled',
  secondInOrder: 'feed, second epoch, in order',
  secondShuffled: 'feed, second epoch, shuffled',
  inOrder: 'feed, later epochs, in order',
  shuffled: 'feed, later epochs, shuffled',
  firstFull: 'feed, first epoch, FULL',
  full: 'feed, the same epoch again, FULL',
  plan: 'plan, shuffled',
  tensors: 'feed, shuffled, PyTorch tensors',
} as const;

interface OurRead {
  readonly name: string;
  readonly shuffle: Shuffle;
  readonly epoch?: number;
  readonly via?: 'feed' | 'plan';
  readonly clients?: number;
}

/** Whole epochs read by the Python client, each of several clients another epoch. */
export function ourReading(rows: FeedRows, server: IcecoreServer, python: string, read: OurRead): Reading {
  const { name, shuffle, epoch = 0, via = 'feed', clients = 1 } = read;
  const options = { table: tableName, url: server.url, batchSize: batchRows, shuffle, via };
  const readers = Array.from({ length: clients }, (_, client) => ({
    python,
    module: 'icecore_feed',
    options: { ...options, epoch: epoch + client },
  }));
  return { name, rows: rows.rows, readers, server };
}

/** The same as tensors for training steps: all columns but the text, which no tensor holds. */
export function ourTensors(rows: FeedRows, server: IcecoreServer, python: string): Reading {
  const options = { table: tableName, url: server.url, batchSize: tensorBatchRows, columns: numberColumns };
  return { name: ourNames.tensors, rows: rows.rows, readers: [{ python, module: 'icecore_tensors', options }], server };
}

/** As clients of the REST catalog find it. */
export async function metadataLocation(server: IcecoreServer): Promise<string> {
  const [namespace, name] = tableName.split('.');
  const response = await fetch(`${server.url}/iceberg/v1/namespaces/${namespace}/tables/${name}`);
  const location = ((await response.json()) as { readonly 'metadata-location'?: string })['metadata-location'];
  if (location === undefined) throw new Error(`${tableName} could not be loaded: ${response.status}`);
  return location;
}
