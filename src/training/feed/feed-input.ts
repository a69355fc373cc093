import { IcecoreError } from '../../errors.ts';
import { feedBatchRowsMax, feedLanesMax, feedWorldSizeMax } from '../../limits.ts';
import type { TableAsOf } from '../feature-pins.ts';

export type Shuffle = 'NONE' | 'WINDOWED' | 'FULL';
export type TailPolicy = 'SHORT' | 'DROP';
export type FeedCompression = 'NONE' | 'LZ4' | 'ZSTD';

/** Exactly one: a training set, its newest version where none is named, or a table. */
export type FeedSource =
  | { readonly trainingSet: { readonly name: string; readonly version?: number | null | undefined } }
  | { readonly table: TableAsOf };

/** What a reader asks for (contract, `TrainingFeedInput`); what is left out takes its default. */
export interface TrainingFeedInput {
  readonly source: FeedSource;
  readonly columns?: readonly string[] | null | undefined;
  readonly where?: string | null | undefined;
  readonly split?: string | null | undefined;
  readonly batchSize?: number | null | undefined;
  readonly shuffle?: Shuffle | null | undefined;
  readonly seed?: bigint | null | undefined;
  readonly epoch?: number | null | undefined;
  readonly lanes?: number | null | undefined;
  readonly rank?: number | null | undefined;
  readonly worldSize?: number | null | undefined;
  readonly tail?: TailPolicy | null | undefined;
  readonly compression?: FeedCompression | null | undefined;
  readonly cursor?: string | null | undefined;
}

/** What decides about the order besides the snapshot and the filter. */
export interface FeedOrder {
  readonly shuffle: Shuffle;
  readonly seed: bigint;
  readonly epoch: number;
  readonly lanes: number;
}

export const defaultOrder: FeedOrder = { shuffle: 'WINDOWED', seed: 0n, epoch: 0, lanes: 8 };

/** Who reads which share. */
export interface FeedShare {
  readonly batchSize: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly tail: TailPolicy;
}

export function feedOrder(input: TrainingFeedInput): FeedOrder {
  const order = {
    shuffle: input.shuffle ?? defaultOrder.shuffle,
    seed: input.seed ?? defaultOrder.seed,
    epoch: input.epoch ?? defaultOrder.epoch,
    lanes: input.lanes ?? defaultOrder.lanes,
  };
  requireInteger('epoch', order.epoch, 0, 2 ** 31 - 1);
  requireInteger('lanes', order.lanes, 1, feedLanesMax);
  if ((order.lanes & (order.lanes - 1)) !== 0) throw refuse(`lanes is ${order.lanes}, and must be a power of two`);
  if (BigInt.asIntN(64, order.seed) !== order.seed) throw refuse(`seed is ${order.seed}, which has more than 64 bits`);
  return order;
}

/** Of the buffers of each batch. */
export function feedCompression({ compression }: TrainingFeedInput): FeedCompression {
  return compression ?? 'NONE';
}

/** Throws BAD_USER_INPUT where a number is out of its range. */
export function feedShare(input: TrainingFeedInput): FeedShare {
  const { batchSize, rank, worldSize, tail } = {
    batchSize: input.batchSize ?? 65_536,
    rank: input.rank ?? 0,
    worldSize: input.worldSize ?? 1,
    tail: input.tail ?? 'SHORT',
  };
  requireInteger('batchSize', batchSize, 1, feedBatchRowsMax);
  requireInteger('worldSize', worldSize, 1, feedWorldSizeMax);
  requireInteger('rank', rank, 0, worldSize - 1, ': ranks count from 0, and there are as many as worldSize says');
  return { batchSize, rank, worldSize, tail };
}

function requireInteger(name: string, value: number, min: number, max: number, why = ''): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw refuse(`${name} is ${value}, and must be a whole number from ${min} to ${max}${why}`);
}

function refuse(reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The training feed cannot be read so: ${reason}.`);
}
