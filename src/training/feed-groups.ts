import type { Literal, NestedField } from '../iceberg/type.ts';

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
  /** Of the columns that the file lacks, by field id, the value that all of its rows have; the others are null. */
  readonly constants: ReadonlyMap<number, Literal>;
  /** Null where all rows are live and match. Read it with `readLiveRows`. */
  readonly liveRows: LiveRowsPlace | null;
  /** Of its block file: equal for equal bytes, whatever the snapshot is. */
  readonly key: string;
  /** Null where `src/parquet` reads it, else why it goes by `decodeBySql`. */
  readonly uncovered: string | null;
}

/** The groups of one feed, in their order. Files that hold no match by their metrics have none: their rows are in no order. */
export interface FeedGroups {
  /** How many there are, those without a matching row included. */
  readonly count: number;
  /** Of each group, in order: what `epochOrder` takes. */
  readonly matchingRows: Uint32Array;
  readonly group: (place: number) => FeedGroup;
  /** Has the live rows on disk when it resolves; asked again, it makes them anew where they are torn or gone. */
  readonly decodeTask: (place: number, signal?: AbortSignal) => Promise<DecodeTask>;
  /** Gives the matching rows of a group through DuckDB to `write`, in order, in blocks of 65,536 and a last shorter one. Counted. */
  readonly decodeBySql: (
    place: number,
    write: (block: BlockColumns) => void | Promise<void>,
    signal?: AbortSignal,
  ) => Promise<void>;
}

/** As in `src/arrow/block-file.ts`. */
interface BlockColumns {
  readonly rowCount: number;
  readonly columns: readonly import('apache-arrow').Data[];
}
