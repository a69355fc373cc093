import type { ParquetFile } from '../../src/parquet/file-metadata.ts';
import type { ByteRange } from '../../src/storage/storage.ts';

/** A file in a store that answers when it is told to: shows which requests are under way at once. */
export class SlowFile implements ParquetFile {
  readonly location: string;
  readonly sizeBytes: number;
  /** All so far, answered or not. */
  readonly requested: ByteRange[] = [];
  readonly #file: ParquetFile;
  readonly #waiting: (() => void)[] = [];

  constructor(file: ParquetFile) {
    this.#file = file;
    this.location = file.location;
    this.sizeBytes = file.sizeBytes;
  }

  get underWay(): number {
    return this.#waiting.length;
  }

  async read(range: ByteRange, into?: Uint8Array): Promise<Uint8Array> {
    this.requested.push(range);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return await this.#file.read(range, into);
  }

  /** Answers the oldest `count` requests that wait. */
  answer(count: number): void {
    for (const resolve of this.#waiting.splice(0, count)) resolve();
  }
}
