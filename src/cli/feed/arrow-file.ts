import { type FileHandle, open } from 'node:fs/promises';
import { cliFeedHeadBytesMax } from '../../limits.ts';
import { arrowFooter, arrowMagic, type Block } from './arrow-footer.ts';
import { type ArrowMessage, flatBytes, messageHead, prefixBytes } from './arrow-message.ts';
import { type FeedFile, type FeedSoFar, nothingYet } from './feed-file.ts';
import { writeParts } from './written-parts.ts';

const endOfStream = Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]);

/** `file` is Arrow's format that can be read at any place of it, `stream` the one that is read from its beginning. */
export type ArrowFileFormat = 'file' | 'stream';

/** An Arrow file that grows by the very messages of a feed, compressed as they came. Only its end tells a file from a stream. */
export class ArrowFile implements FeedFile {
  readonly #handle: FileHandle;
  readonly #format: ArrowFileFormat;
  #bytes: number;
  #schema: Uint8Array | null = null;
  readonly #dictionaries: Block[] = [];
  readonly #batches: Block[] = [];

  private constructor(handle: FileHandle, format: ArrowFileFormat) {
    this.#handle = handle;
    this.#format = format;
    // The magic, filled up to eight bytes.
    this.#bytes = format === 'file' ? prefixBytes : 0;
  }

  /** Throws EEXIST where there is one. */
  static async create(path: string, format: ArrowFileFormat): Promise<ArrowFile> {
    const handle = await open(path, 'wx');
    const file = new ArrowFile(handle, format);
    if (format === 'file') await handle.write(Buffer.concat([arrowMagic, Buffer.alloc(2)]), 0);
    return file;
  }

  /** One that was begun earlier, cut off behind the last batch that it holds whole, and how far it had come. Throws ENOENT. */
  static async reopen(path: string, format: ArrowFileFormat): Promise<{ readonly file: ArrowFile; readonly soFar: FeedSoFar }> {
    const handle = await open(path, 'r+');
    try {
      const file = new ArrowFile(handle, format);
      const soFar = await file.#recover();
      await handle.truncate(file.#bytes);
      return { file, soFar };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async write({ head, body }: ArrowMessage): Promise<void> {
    await writeParts(this.#handle, [head, body], this.#bytes);
    this.#note(head, body.byteLength);
  }

  async finish(): Promise<number> {
    if (this.#schema === null) throw new Error('a feed has a schema');
    const footer = this.#format === 'file' ? arrowFooter(this.#schema, this.#dictionaries, this.#batches) : Buffer.alloc(0);
    const bytes = await writeParts(this.#handle, [endOfStream, footer], this.#bytes);
    await this.#handle.sync();
    return bytes;
  }

  /** Whatever came is in the file. */
  async keep(): Promise<void> {}

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #note(head: Uint8Array, bodyBytes: number): void {
    const block = { offset: this.#bytes, headBytes: head.byteLength, bodyBytes };
    const { kind } = messageHead(head);
    if (kind === 'SCHEMA') this.#schema = head;
    else (kind === 'BATCH' ? this.#batches : this.#dictionaries).push(block);
    this.#bytes += head.byteLength + bodyBytes;
  }

  /** Notes every message that the file holds whole. */
  async #recover(): Promise<FeedSoFar> {
    const { size } = await this.#handle.stat();
    let soFar = nothingYet;
    for (;;) {
      const prefix = await this.#read(this.#bytes, prefixBytes);
      const bytes = prefix === null ? 0 : flatBytes(prefix, cliFeedHeadBytesMax);
      const head = bytes === 0 ? null : await this.#read(this.#bytes, prefixBytes + bytes);
      if (head === null) return soFar;
      const { kind, bodyBytes, metadata, table } = messageHead(head);
      if (this.#bytes + head.byteLength + bodyBytes > size) return soFar;
      this.#note(head, bodyBytes);
      if (kind === 'SCHEMA') soFar = { ...soFar, schema: { head, body: new Uint8Array() } };
      if (kind !== 'BATCH') continue;
      const isComplete = metadata.get('icecore.last') === 'true';
      soFar = { ...soFar, cursor: metadata.get('icecore.cursor') ?? null, rows: soFar.rows + Number(table.long(0)), isComplete };
    }
  }

  /** Null where the file ends before. */
  async #read(at: number, count: number): Promise<Uint8Array | null> {
    const { bytesRead, buffer } = await this.#handle.read(Buffer.alloc(count), 0, count, at);
    return bytesRead < count ? null : buffer;
  }
}
