/** A worker of the feed that dies of the first batch with rows that it is asked for, as by a mistake in it. */
import { parentPort } from 'node:worker_threads';
import type { ToFeedWorker } from '../../../src/training/feed/feed-worker-messages.ts';

parentPort?.on('message', (message: ToFeedWorker) => {
  if (!('method' in message) || message.method !== 'batches') return;
  if (message.request.parts.some(({ span }) => span.rows > 0)) throw new Error('a mistake');
});
await import('../../../src/training/feed/feed-worker.ts');
