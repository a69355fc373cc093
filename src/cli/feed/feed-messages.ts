import { setTimeout as pause } from 'node:timers/promises';
import { cliFeedPatienceMs, cliFeedPauseMsMax, cliFeedPauseMsMin, cliFeedSilenceMsMax } from '../../limits.ts';
import type { Api } from '../api.ts';
import { Refusal, Unreachable } from '../refusal.ts';
import { type ArrowMessage, type MessageHead, messageHead } from './arrow-message.ts';
import { isSameSchema } from './arrow-schema.ts';
import { arrowMessages } from './arrow-stream.ts';
import type { FeedQuery } from './feed-query.ts';

const document = 'subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { cursor } }';

export interface FeedMessage extends MessageHead {
  readonly message: ArrowMessage;
}

export interface FeedWork {
  readonly api: Api;
  readonly query: FeedQuery;
  /** Where it goes on, and which columns it has, when some of it has come already. */
  readonly cursor: string | null;
  readonly schema: ArrowMessage | null;
  /** Is told of every failure that another try may cure, and how long it will be until that. */
  readonly onBreak: (error: Error, pauseMs: number) => void;
}

/**
 * The messages of a feed, over as many connections as it takes: the schema once, then batches until the one that is marked the last. A
 * connection that breaks, or ends without that mark, is followed by another that goes on behind the last batch. Throws Refusal or
 * Unreachable where nothing came for `cliFeedPatienceMs`, for what no other try would cure, and where there was no server to begin with.
 */
export async function* feedMessages({
  api,
  query,
  cursor,
  schema,
  onBreak,
}: FeedWork): AsyncGenerator<FeedMessage, void, undefined> {
  let [at, known] = [cursor, schema];
  let [failures, failingSince] = [0, 0];
  let hasBegun = false;
  for (;;) {
    try {
      const input = at === null ? query : { ...query, cursor: at };
      const chunks = await api.stream(document, { input }, { silenceMsMax: cliFeedSilenceMsMax });
      for await (const message of arrowMessages(chunks)) {
        const head = messageHead(message.head);
        hasBegun = true;
        if (head.kind === 'SCHEMA') {
          if (known === null) yield { ...head, message };
          else if (!isSameSchema(known, message)) throw changedColumns();
          known = message;
          continue;
        }
        failures = 0;
        yield { ...head, message };
        if (head.kind !== 'BATCH') continue;
        at = head.metadata.get('icecore.cursor') ?? at;
        if (head.metadata.get('icecore.last') === 'true') return;
      }
      throw new Unreachable('The feed ended before the batch that is marked as its last: ask again.');
    } catch (error) {
      const isWorthAnother = error instanceof Refusal || (error instanceof Unreachable && hasBegun);
      if (!isWorthAnother || !error.isRetryable) throw error;
      const nowMs = performance.now();
      if (failures === 0) failingSince = nowMs;
      const pauseMs = Math.min(cliFeedPauseMsMax, cliFeedPauseMsMin * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2);
      if (nowMs - failingSince + pauseMs > cliFeedPatienceMs) throw error;
      failures++;
      onBreak(error, pauseMs);
      await pause(pauseMs);
    }
  }
}

function changedColumns(): Refusal {
  return new Refusal('The columns have changed since the feed was begun: begin anew with --overwrite.', 'CONFLICT');
}
