import { parentPort, workerData } from 'node:worker_threads';
import { CheckedParts } from '../../arrow/checked-parts.ts';
import { feedDecodeRestMs, feedFootersBytesMax, feedRestMs } from '../../limits.ts';
import { freeKept } from '../../parquet/memory.ts';
import { openStorage } from '../../storage/routed-storage.ts';
import { FullShuffleWork } from '../full-shuffle/full-shuffle-worker.ts';
import { FeedBlocks } from './feed-blocks.ts';
import { FeedDecoder } from './feed-decode.ts';
import { plainFailure } from './feed-failure.ts';
import { FeedJob } from './feed-job.ts';
import type { FeedWorkerCalls, FeedWorkerMethod, FeedWorkerSetup, FromFeedWorker, ToFeedWorker } from './feed-worker-messages.ts';
import { RestTimer } from './rest-timer.ts';
import { giveWay } from './thread-priority.ts';

/** The main of a worker thread: answers one message by another (feed-worker-messages.ts). */
async function serve(port: NonNullable<typeof parentPort>, setup: FeedWorkerSetup): Promise<void> {
  const checked = new CheckedParts(setup.checkedParts);
  const blocks = new FeedBlocks(setup.blocksBytesMax, undefined, checked);
  const shuffles = new FullShuffleWork(checked);
  const jobs = new Map<number, FeedJob>();
  const controllers = new Map<number, AbortController>();
  const storage = openStorage(setup.storage);
  // Whoever needs it hears of it.
  storage.catch(() => undefined);
  const decoder = storage.then((opened) => new FeedDecoder(opened, feedFootersBytesMax, checked));
  decoder.catch(() => undefined);

  const jobOf = (feed: number): FeedJob => {
    const job = jobs.get(feed);
    if (job === undefined) throw new Error(`there is no feed ${feed}`);
    return job;
  };

  const decoding = new RestTimer(feedDecodeRestMs, freeKept);
  const working = new RestTimer(feedRestMs, () => {
    blocks.clear();
    shuffles.rest();
  });

  const answer = async (message: Extract<ToFeedWorker, { id: number }>, signal: AbortSignal): Promise<Answer> => {
    switch (message.method) {
      case 'open':
        jobs.set(message.request.feed, new FeedJob(message.request, blocks));
        return null;
      case 'batches':
        return jobOf(message.request.feed).batches(message.request);
      case 'columns':
        return jobOf(message.request.feed).columns(message.request);
      case 'close':
        jobs.delete(message.request.feed);
        if (jobs.size === 0) blocks.clear();
        return null;
      case 'decode':
        decoding.begin();
        try {
          return await (await decoder).decode(message.request.task, message.request.path, signal);
        } finally {
          decoding.end();
        }
      default:
        return await shuffles.answer(message, signal);
    }
  };

  port.on('message', (message: ToFeedWorker) => {
    if ('abort' in message) {
      controllers.get(message.abort)?.abort();
      return;
    }
    if ('recycle' in message) {
      blocks.memory.give(message.recycle);
      return;
    }
    const { id } = message;
    const controller = new AbortController();
    controllers.set(id, controller);
    working.begin();
    const send = (reply: FromFeedWorker, transfer: ArrayBuffer[] = []) => {
      controllers.delete(id);
      working.end();
      port.postMessage(reply, transfer);
    };
    answer(message, controller.signal).then(
      (value) => send({ id, answer: value }, buffersOf(value)),
      (error: unknown) => send({ id, failure: plainFailure(error) }),
    );
  });
}

type Answer = FeedWorkerCalls[FeedWorkerMethod]['answer'];

/** Of a batch, its memory, which goes to the main thread without a copy. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  const bytes = answer === null ? null : 'messages' in answer ? answer.messages : 'body' in answer ? answer.body.bytes : null;
  return bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

if (parentPort !== null) {
  giveWay();
  await serve(parentPort, workerData as FeedWorkerSetup);
}
