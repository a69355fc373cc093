import type { ArrowMessage } from './arrow-message.ts';

/** A file that a feed is written to, message by message: the schema first, and whatever else comes in the order of its coming. */
export interface FeedFile {
  write(message: ArrowMessage): Promise<void>;
  /** Sees to it that another process can go on behind all that was written. */
  keep(): Promise<void>;
  /** Completes the file, and gives its size. */
  finish(): Promise<number>;
  close(): Promise<void>;
}

/** How far an earlier try has come. */
export interface FeedSoFar {
  /** Null where nothing but the schema, or not even that, has come. */
  readonly schema: ArrowMessage | null;
  readonly cursor: string | null;
  readonly rows: number;
  /** Whether the batch behind which there is nothing has come. */
  readonly isComplete: boolean;
}

export const nothingYet: FeedSoFar = { schema: null, cursor: null, rows: 0, isComplete: false };
