import type { BlockColumns } from '../../arrow/block-file-writer.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import type { Literal, NestedField } from '../../iceberg/type.ts';
import type { FileMetadata } from '../../parquet/file-metadata.ts';

/** A row group of a Parquet file, or a whole Avro file: what a feed decodes at a time. */
export interface FeedGroup {
  /** Its place in the order of (data sequence number, path bytes, ordinal) among the groups of this feed. */
  readonly place: number;
  readonly location: string;
  readonly fileSizeBytes: number;
  readonly ordinal: number;
  /** The position of its first row in the file. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** Rows that are live and match. */
  readonly matchingRows: number;
}

/** Where on local disk it lies which rows of a group are live and match: a bit a row, the lowest bit of a byte first. */
export interface LiveRowsPlace {
  readonly path: string;
  readonly offset: number;
  readonly byteLength: number;
  /** Hex SHA-256 of these bytes. */
  readonly digest: string;
}

/** All that a thread needs to make the block file of a group; structured-clonable. */
export interface DecodeTask extends FeedGroup {
  /** What is wanted, in the order of the feed's columns. */
  readonly fields: readonly NestedField[];
  /** Of the columns that the file lacks, by field id, the value that all of its rows have; the others are null. A uuid is 16 bytes. */
  readonly constants: ReadonlyMap<number, Literal>;
  /** Null where all rows are live and match. Read it with `readLiveRows`. */
  readonly liveRows: LiveRowsPlace | null;
  /** As `blockKey`. */
  readonly key: string;
  /** Null where `src/parquet` reads it, else why it goes by `decodeBySql`. */
  readonly uncovered: string | null;
  /** Of the file, as if it had this group alone; null where it is to be read. */
  readonly footer: FileMetadata | null;
}

/** A file of a feed: `count` groups from place `first` on. */
export interface FeedFile {
  readonly task: FileScanTask;
  readonly first: number;
  readonly count: number;
}

/**
 * The groups of one feed, in their order. Files that hold no match by their metrics have none: groups without a match are left out of the order
 * before anything is permuted. Where callers are told apart, its methods work for whoever opened it, whoever calls them.
 */
export interface FeedGroups {
  /** Those without a matching row included. */
  readonly count: number;
  /** Of each group, in order: what `epochOrder` takes. */
  readonly matchingRows: Uint32Array;
  /** In order. */
  readonly files: readonly FeedFile[];
  readonly group: (place: number) => FeedGroup;
  /** Of its block file: equal for equal rows of equal columns, whatever the snapshot is. */
  readonly blockKey: (place: number, signal?: AbortSignal) => Promise<string>;
  /** Has the live rows on disk when it resolves; asked again, it makes them anew where they are torn or gone. */
  readonly decodeTask: (place: number, signal?: AbortSignal) => Promise<DecodeTask>;
  /** Gives the matching rows of a group through DuckDB, in order, in blocks of 65,536 and a last shorter one. Counted. */
  readonly decodeBySql: (
    place: number,
    write: (block: BlockColumns) => void | Promise<void>,
    signal?: AbortSignal,
  ) => Promise<void>;
}
