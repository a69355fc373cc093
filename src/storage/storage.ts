/** Bytes at a location (`file:///…` or `s3://…`). Every location handed in is absolute; anything outside the roots is refused. */
export interface Storage {
  /** The bytes, or the half-open range of them: in `into`, of the range's size, where that is faster. Throws NOT_FOUND with the location. */
  read(location: string, range?: ByteRange, into?: Uint8Array): Promise<Uint8Array>;
  /** Null where there is nothing. */
  size(location: string): Promise<number | null>;
  /** Durable when it resolves, but for `isUnsettled`: then once it is settled. Throws ALREADY_EXISTS under `ifAbsent` where something is there. */
  write(location: string, bytes: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Makes durable what was written unsettled: many files of one directory cost one wait for the disk less each. */
  settle(locations: readonly string[]): Promise<void>;
  /** Moves a finished local file to its location; durable when it resolves. */
  publish(localPath: string, location: string): Promise<void>;
  /** A local path that holds the object's bytes until `release` is called: the file itself on local disk, a cached copy otherwise. */
  open(location: string): Promise<LocalCopy>;
  /** Missing ones are no error. */
  remove(locations: readonly string[]): Promise<void>;
  list(prefix: string, signal?: AbortSignal): AsyncIterable<StoredObject>;
}

export interface WriteOptions {
  readonly ifAbsent?: boolean;
  /** The writer will settle it before anything refers to it. */
  readonly isUnsettled?: boolean;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface LocalCopy {
  readonly path: string;
  release(): void;
}

export interface StoredObject {
  readonly location: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}
