import { createHash } from 'node:crypto';
import type { DataFile } from '../../iceberg/data-file.ts';
import { feedFootersReadAtOnce } from '../../limits.ts';
import { type FileMetadata, readFileMetadata, storedFile } from '../../parquet/file-metadata.ts';
import type { Codec } from '../../parquet/format.ts';
import { isReadableCodec } from '../../parquet/page-codec.ts';
import { leavesOf, type SchemaNode } from '../../parquet/schema-node.ts';
import type { Storage } from '../../storage/storage.ts';
import type { KeptRecords } from './kept-records.ts';
import type { ParsedFooters } from './parsed-footers.ts';

/** What a feed has to know of a file before it reads rows of it. */
export interface FileFooter {
  /** Of each row group; an Avro file is one. */
  readonly rowCounts: readonly number[];
  /** Null for an Avro file. Files with equal columns share one. */
  readonly shape: FileShape | null;
}

/** The columns of a Parquet file, and of each leaf a codec that is used for it: one that is not read, where there is any. */
export interface FileShape {
  readonly columns: readonly SchemaNode[];
  readonly codecs: readonly Codec[];
}

/**
 * The footers of files, by location. Each is read once and kept, on local disk too: of thousands of files that were fed before, none is opened.
 * Those that are read are kept in `parsed` as well.
 * Throws FAILED_PRECONDITION, naming the file, for one that is damaged or encrypted, NOT_FOUND for one that is gone.
 */
export async function readFooters(
  storage: Pick<Storage, 'read'>,
  kept: KeptRecords,
  files: readonly DataFile[],
  parsed: ParsedFooters,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, FileFooter>> {
  const found = new Map<string, FileFooter>();
  const parquet = files.filter(({ fileFormat }) => fileFormat === 'parquet');
  for (const { filePath, fileFormat, recordCount } of files) {
    if (fileFormat !== 'parquet') found.set(filePath, { rowCounts: [Number(recordCount)], shape: null });
  }
  const records = await kept.get(parquet.map(footerKey));
  const entries = [...records].map(([key, content]) => [key, JSON.parse(content.toString()) as FooterRecord] as const);
  const shapes = await keptShapes(
    kept,
    entries.map(([, { shape }]) => shape),
  );
  const known = new Map(entries);
  const unread = parquet.filter((file) => {
    const record = known.get(footerKey(file));
    const shape = record === undefined ? undefined : shapes.get(record.shape);
    if (record === undefined || shape === undefined) return true;
    found.set(file.filePath, { rowCounts: record.rowCounts, shape });
    return false;
  });
  const turns = unread.values();
  const made = new Map<string, Buffer>();
  const read = async (): Promise<void> => {
    for (const file of turns) {
      signal?.throwIfAborted();
      const sizeBytes = Number(file.fileSizeInBytes);
      const metadata = await readFileMetadata(storedFile(storage, file.filePath, sizeBytes));
      parsed.keep(file.filePath, sizeBytes, metadata);
      const text = JSON.stringify(shapeOf(metadata));
      const id = createHash('sha256').update(text).digest('hex').slice(0, 32);
      const shape = shapes.get(id) ?? (JSON.parse(text) as FileShape);
      if (!shapes.has(id)) made.set(shapeKey(id), Buffer.from(text));
      shapes.set(id, shape);
      const rowCounts = metadata.rowGroups.map(({ rowCount }) => rowCount);
      made.set(footerKey(file), Buffer.from(JSON.stringify({ shape: id, rowCounts } satisfies FooterRecord)));
      found.set(file.filePath, { rowCounts, shape });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(feedFootersReadAtOnce, unread.length) }, read));
  } finally {
    // Also where another file failed: these need not be read again.
    if (made.size > 0) await kept.put(made);
  }
  return found;
}

interface FooterRecord {
  readonly shape: string;
  readonly rowCounts: readonly number[];
}

async function keptShapes(kept: KeptRecords, ids: readonly string[]): Promise<Map<string, FileShape>> {
  const distinct = [...new Set(ids)];
  const records = await kept.get(distinct.map(shapeKey));
  const shapes = new Map<string, FileShape>();
  for (const id of distinct) {
    const content = records.get(shapeKey(id));
    if (content !== undefined) shapes.set(id, JSON.parse(content.toString()) as FileShape);
  }
  return shapes;
}

function footerKey({ filePath, fileSizeInBytes }: DataFile): string {
  return `footer/1 ${fileSizeInBytes} ${filePath}`;
}

function shapeKey(id: string): string {
  return `shape/1 ${id}`;
}

function shapeOf({ columns, rowGroups }: FileMetadata): FileShape {
  const codecs = leavesOf(columns).map((_leaf, index): Codec => {
    const used = rowGroups.flatMap(({ chunks }) => chunks[index]?.codec ?? []);
    return used.find((codec) => !isReadableCodec(codec)) ?? used[0] ?? 'UNCOMPRESSED';
  });
  return { columns, codecs };
}
