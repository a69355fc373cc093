/** A worker of the feed that dies of the last columns of a batch, as by a mistake in it. */
import { parentPort } from 'node:worker_threads';
import type { ToFeedWorker } from '../../../src/training/feed/feed-worker-messages.ts';

parentPort?.on('message', (message: ToFeedWorker) => {
  if ('method' in message && message.method === 'columns' && message.request.range.from > 0) throw new Error('a mistake');
});
await import('../../../src/training/feed/feed-worker.ts');
