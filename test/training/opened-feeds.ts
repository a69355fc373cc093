import { join } from 'node:path';
import { type Table, tableFromIPC } from 'apache-arrow';
import {
  type TrainingFeed,
  type TrainingFeedBatch,
  TrainingFeeds,
  type TrainingFeedsOptions,
} from '../../src/training/feed/feed.ts';
import type { TrainingStore } from './training-store.ts';

/** The feeds of a store's tables, with one worker thread. To be closed before the store. */
export function openFeeds({ store, training }: TrainingStore, options: Partial<TrainingFeedsOptions> = {}): TrainingFeeds {
  return new TrainingFeeds({
    tables: store.tables,
    duckdb: store.duckdb,
    trainingSet: (name, version) => training.require(name, version),
    trainingSetAt: (name, snapshotId) => training.trainingSetAt(name, snapshotId),
    cacheDirectory: join(store.directory, 'cache'),
    storage: { warehouse: store.directory },
    workers: 1,
    ...options,
  });
}

/** A batch as a reader sees it. */
export async function batchTable(feed: TrainingFeed, batch: TrainingFeedBatch): Promise<Table> {
  return tableFromIPC([feed.schemaMessage, await batch.message.bytes(), feed.endMessage]);
}
