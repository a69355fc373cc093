import { setImmediate } from 'node:timers/promises';
import { type Data, type Field, Schema } from 'apache-arrow';
import { arrowSchema } from '../../arrow/arrow-type.ts';
import { BlockFile } from '../../arrow/block-file.ts';
import { BlockFileWriter } from '../../arrow/block-file-writer.ts';
import type { CheckedParts } from '../../arrow/checked-parts.ts';
import { IcecoreError } from '../../errors.ts';
import { type FileMetadata, type ParquetFile, readFileMetadata, storedFile } from '../../parquet/file-metadata.ts';
import { freeColumn } from '../../parquet/memory.ts';
import { openRowGroup } from '../../parquet/open-row-group.ts';
import type { Storage } from '../../storage/storage.ts';
import { ByteLru } from '../../tables/byte-lru.ts';
import type { DecodeTask } from '../groups/feed-groups.ts';
import { readLiveRows } from '../groups/feed-live-rows.ts';
import { matchingCells } from '../groups/matching-cells.ts';
import { footerBytes } from '../groups/parsed-footers.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import type { LiveRows } from '../order/live-rows.ts';
import { constantColumn } from './constant-column.ts';
import type { DecodeAnswer } from './feed-worker-messages.ts';

/** Decodes row groups into block files, in a worker. Keeps the footers of the files it read last. */
export class FeedDecoder {
  readonly #storage: Pick<Storage, 'read'>;
  readonly #footers: ByteLru<Promise<FileMetadata>>;
  readonly #checked: CheckedParts | null;

  constructor(storage: Pick<Storage, 'read'>, footersBytesMax: number, checked: CheckedParts | null = null) {
    this.#checked = checked;
    this.#storage = storage;
    this.#footers = new ByteLru(footersBytesMax);
  }

  /**
   * Writes the matching rows of a group, column by column; between two of them the event loop has a turn. A file that is there already is
   * taken as it is. Throws FAILED_PRECONDITION that names the data file where that is damaged, OVERLOADED where the disk is full.
   */
  async decode(task: DecodeTask, path: string, signal: AbortSignal): Promise<DecodeAnswer> {
    const started = performance.now();
    const seconds = () => (performance.now() - started) / 1000;
    const there = BlockFile.open(path, task.key);
    if (there !== null) {
      there.close();
      return { outcome: 'decoded', bytes: there.bytes, seconds: seconds() };
    }
    const live = task.liveRows === null ? null : readLiveRows(task.liveRows, task.rowCount);
    if (live === null && task.liveRows !== null) return { outcome: 'no-live-rows' };
    const writer = BlockFileWriter.create(path, task.key, arrowSchema(task.fields), blockRowsMax, this.#checked);
    try {
      await this.#write(task, live, writer, signal);
      return { outcome: 'decoded', bytes: writer.finish(), seconds: seconds() };
    } catch (error) {
      if (IcecoreError.is(error) && typeof error.context.unsupported === 'string') {
        return { outcome: 'uncovered', why: error.context.unsupported };
      }
      throw error;
    } finally {
      writer.abandon();
    }
  }

  async #write(task: DecodeTask, live: LiveRows | null, writer: BlockFileWriter, signal: AbortSignal): Promise<void> {
    const file = storedFile(this.#storage, task.location, task.fileSizeBytes);
    const metadata = task.footer ?? (await this.#footer(file));
    const schema = arrowSchema(task.fields);
    const group = openRowGroup(file, metadata, task.footer === null ? task.ordinal : 0, task.fields, signal);
    try {
      for await (const { index, data } of group.columns()) {
        const [field, arrowField] = [task.fields[index], schema.fields[index]];
        if (field === undefined || arrowField === undefined) throw new IcecoreError('INTERNAL', `There is no column ${index}.`);
        const constant = task.constants.get(field.id);
        const cells =
          data === null
            ? constantColumn(arrowField.type, constant ?? null, task.matchingRows)
            : await matching(arrowField, data, live);
        writer.writeColumn(index, cells);
        if (data !== null) freeColumn(data);
        signal.throwIfAborted();
      }
    } finally {
      group.close();
    }
  }

  #footer(file: ParquetFile): Promise<FileMetadata> {
    const name = `${file.sizeBytes} ${file.location}`;
    const known = this.#footers.get(name);
    if (known !== undefined) return known;
    const read = readFileMetadata(file).then((metadata) => {
      this.#footers.set(name, read, footerBytes(metadata));
      return metadata;
    });
    this.#footers.set(name, read, 1);
    read.catch(() => this.#footers.delete(name));
    return read;
  }
}

async function matching(field: Field, data: Data, live: LiveRows | null): Promise<Data> {
  if (live === null) return data;
  await setImmediate();
  return matchingCells(new Schema([field]), data, live);
}
