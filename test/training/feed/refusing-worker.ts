/** A worker of the feed for which the blocks of some columns of a batch are too much, and those of a whole one are not. */
import { parentPort } from 'node:worker_threads';
import type { FromFeedWorker, ToFeedWorker } from '../../../src/training/feed/feed-worker-messages.ts';

const port = parentPort;
if (port !== null) {
  const failure = { code: 'OVERLOADED', message: 'too much', retryable: false, context: {}, stack: undefined } as const;
  const listen = port.on.bind(port);
  port.on = ((event: 'message', listener: (message: ToFeedWorker) => void) =>
    listen(event, (message: ToFeedWorker) => {
      const isRefused = 'method' in message && message.method === 'columns' && message.request.range.from > 0;
      if (isRefused) port.postMessage({ id: message.id, failure } satisfies FromFeedWorker);
      else listener(message);
    })) as typeof port.on;
}
await import('../../../src/training/feed/feed-worker.ts');
