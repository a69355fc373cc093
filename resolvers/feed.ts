import type { FeedCompression, TrainingFeedInput as FeedInput, Shuffle, TailPolicy } from '../src/training/feed/feed-input.ts';
import type { TableRefInput } from './as-of.ts';
import { afterKey, type Connection, connectionOf, type PageArgs, pageSize } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { tableAsOf } from './point-in-time.ts';
import type { TrainingBatchView, TrainingFileView, TrainingPlanView } from './views.ts';

interface TrainingFeedInput {
  readonly source: {
    readonly trainingSet?: Given<{ readonly name: string; readonly version?: Given<number> }>;
    readonly table?: Given<TableRefInput>;
  };
  readonly columns?: Given<readonly string[]>;
  readonly where?: Given<string>;
  readonly split?: Given<string>;
  readonly batchSize?: Given<number>;
  readonly shuffle?: Given<Shuffle>;
  readonly seed?: Given<bigint>;
  readonly epoch?: Given<number>;
  readonly lanes?: Given<number>;
  readonly rank?: Given<number>;
  readonly worldSize?: Given<number>;
  readonly tail?: Given<TailPolicy>;
  readonly compression?: Given<FeedCompression>;
  readonly cursor?: Given<string>;
}

export async function* trainingBatches(
  { input }: { readonly input: TrainingFeedInput },
  { icecore, signal }: ApiContext,
): AsyncGenerator<TrainingBatchView> {
  const feed = await icecore.trainingFeeds.open(feedInput(input), signal);
  const { schemaMessage, endMessage, epoch, rowsTotal } = feed;
  for await (const batch of feed.batches) {
    yield { ...batch, schemaMessage, endMessage, epoch, rowsTotal };
  }
}

function feedInput(input: TrainingFeedInput): FeedInput {
  const { trainingSet, table } = input.source;
  if (trainingSet != null) return { ...input, source: { trainingSet } };
  return { ...input, source: { table: tableAsOf(table ?? { name: '' }) } };
}

export async function trainingPlan(
  { input }: { readonly input: TrainingFeedInput },
  { icecore, signal }: ApiContext,
): Promise<TrainingPlanView> {
  return await icecore.trainingPlans.open(feedInput(input), signal);
}

export async function trainingPlanFiles(plan: TrainingPlanView, args: PageArgs): Promise<Connection<TrainingFileView>> {
  const after = afterKey(args);
  const { files, hasMore, total } = await plan.files(pageSize(args), after);
  const page = connectionOf(files, files.length, {
    key: ({ key }) => key,
    node: (file) => file,
    hasPreviousPage: after !== null,
    totalCount: total,
  });
  return { ...page, pageInfo: { ...page.pageInfo, hasNextPage: hasMore } };
}
