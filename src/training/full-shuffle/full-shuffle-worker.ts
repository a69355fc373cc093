import { join } from 'node:path';
import { arrowSchema } from '../../arrow/arrow-type.ts';
import { blockFileName } from '../../arrow/block-cache-files.ts';
import { BlockFile } from '../../arrow/block-file.ts';
import type { CheckedParts } from '../../arrow/checked-parts.ts';
import { MessageMemory } from '../../arrow/message-memory.ts';
import { IcecoreError } from '../../errors.ts';
import type { NestedField } from '../../iceberg/type.ts';
import { fullShuffleBucketBytes } from '../../limits.ts';
import { sortBucket } from './full-shuffle-bucket.ts';
import { type DealtFile, FullShuffleDealer } from './full-shuffle-dealer.ts';
import type { FullShufflePlan } from './full-shuffle-plan.ts';

interface ShuffleFiles {
  readonly plan: FullShufflePlan;
  readonly columns: readonly NestedField[];
  readonly dealers: number;
  /** Of the block cache. */
  readonly directory: string;
}

/** What main asks of a worker for full shuffles, and what it answers. `work` is a number that main chose for a dealer. */
export interface FullShuffleCalls {
  readonly 'deal-open': {
    readonly request: ShuffleFiles & { readonly work: number; readonly dealer: number; readonly buckets: readonly number[] };
    readonly answer: null;
  };
  /** A group from a block on; its first row among all. Not whole where its file is no longer what it was: `blocks` of it are dealt. */
  readonly 'deal-group': {
    readonly request: {
      readonly work: number;
      readonly path: string;
      readonly key: string;
      readonly firstRow: number;
      readonly from: number;
    };
    readonly answer: { readonly blocks: number; readonly isWhole: boolean };
  };
  readonly 'deal-finish': { readonly request: { readonly work: number }; readonly answer: readonly DealtFile[] };
  readonly 'deal-abandon': { readonly request: { readonly work: number }; readonly answer: null };
  /** Null where what was dealt is gone. */
  readonly 'sort-bucket': {
    readonly request: ShuffleFiles & { readonly bucket: number };
    readonly answer: { readonly bytes: number } | null;
  };
}

type FullShuffleMessage = {
  readonly [Method in keyof FullShuffleCalls]: { readonly method: Method; readonly request: FullShuffleCalls[Method]['request'] };
}[keyof FullShuffleCalls];

/** The full shuffles of a worker thread. */
export class FullShuffleWork {
  readonly #dealers = new Map<number, FullShuffleDealer>();
  readonly #checked: CheckedParts;
  /** A bucket is held twice while it is put in order. */
  readonly #memory = new MessageMemory(2 * fullShuffleBucketBytes);

  constructor(checked: CheckedParts) {
    this.#checked = checked;
  }

  async answer(message: FullShuffleMessage, signal: AbortSignal): Promise<FullShuffleCalls[keyof FullShuffleCalls]['answer']> {
    switch (message.method) {
      case 'deal-open': {
        const { work, columns, directory, ...rest } = message.request;
        const options = { ...rest, schema: arrowSchema(columns), pathOf: pathsIn(directory), checked: this.#checked };
        this.#dealers.set(work, new FullShuffleDealer(options));
        return null;
      }
      case 'deal-group':
        return await this.#deal(message.request, signal);
      case 'deal-finish': {
        const files = await this.#dealer(message.request.work).finish(signal);
        this.#dealers.delete(message.request.work);
        return files;
      }
      case 'deal-abandon':
        this.#dealers.get(message.request.work)?.abandon();
        this.#dealers.delete(message.request.work);
        return null;
      case 'sort-bucket': {
        const { plan, columns, dealers, directory, bucket } = message.request;
        const shared = { memory: this.#memory, checked: this.#checked };
        const options = { plan, schema: arrowSchema(columns), dealers, bucket, pathOf: pathsIn(directory), ...shared };
        const bytes = await sortBucket(options, signal);
        return bytes === null ? null : { bytes };
      }
    }
  }

  /** Frees what is kept for buckets to come. */
  rest(): void {
    this.#memory.clear();
  }

  async #deal(
    { work, path, key, firstRow, from }: FullShuffleCalls['deal-group']['request'],
    signal: AbortSignal,
  ): Promise<FullShuffleCalls['deal-group']['answer']> {
    const dealer = this.#dealer(work);
    const file = BlockFile.open(path, key, this.#checked);
    if (file === null) return { blocks: from, isWhole: false };
    try {
      const blocks = await dealer.add(file, firstRow, from, signal);
      return { blocks, isWhole: blocks === file.rowCounts.length };
    } finally {
      file.close();
    }
  }

  #dealer(work: number): FullShuffleDealer {
    const dealer = this.#dealers.get(work);
    if (dealer === undefined)
      throw new IcecoreError('INTERNAL', 'The rows of a full shuffle are not dealt any more.', { retryable: true });
    return dealer;
  }
}

function pathsIn(directory: string): (key: string) => string {
  return (key) => join(directory, blockFileName(key));
}
