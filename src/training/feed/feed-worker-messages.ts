import type { EncodedBody } from '../../arrow/batch-message.ts';
import type { ErrorCode } from '../../errors.ts';
import type { NestedField } from '../../iceberg/type.ts';
import type { StorageOptions } from '../../storage/routed-storage.ts';
import type { FullShuffleCalls } from '../full-shuffle/full-shuffle-worker.ts';
import type { DecodeTask } from '../groups/feed-groups.ts';
import type { OrderSpan } from '../order/rank-batches.ts';
import type { ColumnRange } from './column-ranges.ts';
import type { FeedCompression, FeedOrder } from './feed-input.ts';

/** What a worker is started with. */
export interface FeedWorkerSetup {
  readonly storage: Omit<StorageOptions, 'environment'>;
  /** Of blocks that it keeps in memory. */
  readonly blocksBytesMax: number;
  /** Of `CheckedParts`. */
  readonly checkedParts: SharedArrayBuffer;
}

/** A feed as a worker needs to know it; it opens nothing and holds no block. */
export interface FeedDescription {
  readonly feed: number;
  readonly matchingRows: Uint32Array;
  readonly order: FeedOrder;
  readonly columns: readonly NestedField[];
  readonly compression: FeedCompression;
}

/** The block file of a group. */
export interface GroupFile {
  readonly place: number;
  readonly path: string;
  readonly key: string;
}

/** One batch: the same rows and metadata give the same bytes. */
export interface BatchPart {
  readonly span: OrderSpan;
  /** Of the message. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Batches of a feed. */
export interface BatchesRequest {
  readonly feed: number;
  readonly parts: readonly BatchPart[];
  /** Of every group that they have rows of. */
  readonly files: readonly GroupFile[];
}

/** The messages one behind the other and where each ends, or the places of the groups whose block file is no longer what it was. */
export type BatchesAnswer =
  | { readonly messages: Uint8Array; readonly ends: readonly number[]; readonly seconds: BatchSeconds }
  | { readonly lost: readonly number[] };

/** Some columns of one batch: others make the others. */
export interface ColumnsRequest {
  readonly feed: number;
  readonly part: BatchPart;
  readonly files: readonly GroupFile[];
  readonly range: ColumnRange;
  /** To be left free before them. */
  readonly headBytes: number;
}

export type ColumnsAnswer = { readonly body: EncodedBody; readonly seconds: BatchSeconds } | { readonly lost: readonly number[] };

/** Where the time of batches went. */
export interface BatchSeconds {
  readonly reading: number;
  readonly gathering: number;
}

export interface DecodeRequest {
  readonly task: DecodeTask;
  readonly path: string;
}

export type DecodeAnswer =
  | { readonly outcome: 'decoded'; readonly bytes: number; readonly seconds: number }
  /** This file has to be read through SQL after all, and why. */
  | { readonly outcome: 'uncovered'; readonly why: string }
  /** The bits of its live rows are torn or gone. */
  | { readonly outcome: 'no-live-rows' };

/** What main asks of a worker, and what it answers. */
export interface FeedWorkerCalls extends FullShuffleCalls {
  readonly open: { readonly request: FeedDescription; readonly answer: null };
  readonly batches: { readonly request: BatchesRequest; readonly answer: BatchesAnswer };
  readonly columns: { readonly request: ColumnsRequest; readonly answer: ColumnsAnswer };
  readonly close: { readonly request: { readonly feed: number }; readonly answer: null };
  readonly decode: { readonly request: DecodeRequest; readonly answer: DecodeAnswer };
}

export type FeedWorkerMethod = keyof FeedWorkerCalls;

export type ToFeedWorker =
  | {
      readonly [Method in FeedWorkerMethod]: {
        readonly id: number;
        readonly method: Method;
        readonly request: FeedWorkerCalls[Method]['request'];
      };
    }[FeedWorkerMethod]
  | { readonly abort: number }
  /** Memory of a batch that has been sent. */
  | { readonly recycle: ArrayBuffer };

export type FromFeedWorker =
  | { readonly id: number; readonly answer: FeedWorkerCalls[FeedWorkerMethod]['answer'] }
  | { readonly id: number; readonly failure: PlainFailure };

/** An error as it crosses between threads. */
export interface PlainFailure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, unknown>>;
  readonly stack: string | undefined;
}
