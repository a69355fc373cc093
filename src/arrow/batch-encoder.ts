import type { Data, Schema } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { bodyBytes, type EncodedBody, endOfStream, messageHead } from './batch-message.ts';
import { aligned } from './block-file-part.ts';
import { type BatchCompression, codecOf, compressedBuffer } from './buffer-compression.ts';
import { BatchGather, type GatheredBuffer, type GatheredNode } from './column-gather.ts';
import { IpcWriter } from './ipc.ts';
import { MessageMemory } from './message-memory.ts';
import type { RowPick } from './row-pick.ts';
import { ScratchMemory } from './scratch-memory.ts';

/**
 * Gathers rows of blocks straight into the messages of an Arrow IPC stream (format: "IPC Streaming Format"). Bytes depend on what is given
 * alone: the same rows of the same blocks give the same message again. Holds no batch.
 */
export class BatchEncoder {
  readonly #schema: Schema;
  readonly #compression: BatchCompression;
  readonly #memory: MessageMemory;
  readonly #scratch: ScratchMemory;

  /** Messages lie on `memory`, to which they can be given back. Encoders of one thread may share both, since each is through when it returns. */
  constructor(schema: Schema, compression: BatchCompression, memory = new MessageMemory(0), scratch = new ScratchMemory()) {
    this.#schema = schema;
    this.#compression = compression;
    this.#memory = memory;
    this.#scratch = scratch;
  }

  schemaMessage(): Uint8Array {
    return new IpcWriter(this.#schema).schema();
  }

  endMessage(): Uint8Array {
    return endOfStream();
  }

  /**
   * One encapsulated record batch message, on an ArrayBuffer of its own that can be transferred. `blocks[i]` are the columns of block i, of
   * the schema's types; the picks together fill each of the places 0 to `rowCount` - 1 once. `metadata` is the message's own. Throws
   * OVERLOADED where a buffer would have more than 2 GiB.
   */
  encode(
    blocks: readonly (readonly Data[])[],
    picks: readonly RowPick[],
    rowCount: number,
    metadata: ReadonlyMap<string, string>,
  ): Uint8Array {
    const { buffers, ...body } = this.#gathered(blocks, picks, rowCount);
    const head = messageHead({ rowCount, ...body, codec: codecOf(this.#compression), metadata });
    const message = this.#memory.take(head.length + bodyBytes(body.bufferBytes));
    message.set(head);
    writeBody(buffers, message, head.length);
    return message;
  }

  /**
   * The same columns as part of a message with more of them (`messageChunks`), on an ArrayBuffer of its own, behind as many bytes for the
   * head. Throws as `encode`.
   */
  encodeBody(blocks: readonly (readonly Data[])[], picks: readonly RowPick[], rowCount: number, headBytes: number): EncodedBody {
    const { buffers, ...body } = this.#gathered(blocks, picks, rowCount);
    const bytes = this.#memory.take(headBytes + bodyBytes(body.bufferBytes));
    writeBody(buffers, bytes, headBytes);
    return { ...body, bytes };
  }

  #gathered(blocks: readonly (readonly Data[])[], picks: readonly RowPick[], rowCount: number): GatheredBody {
    const picked = picks.reduce((sum, { count }) => sum + count, 0);
    if (picked !== rowCount) throw new IcecoreError('INTERNAL', `${picked} rows were picked for a batch of ${rowCount}.`);
    this.#scratch.reset();
    const gather = new BatchGather(this.#scratch);
    for (const [index, { type }] of this.#schema.fields.entries()) {
      const sources = blocks.map((columns) => columns[index]);
      gather.column(type, sources, picks, rowCount);
    }
    const { nodes } = gather;
    const codec = codecOf(this.#compression);
    const buffers = codec === null ? gather.buffers : gather.buffers.map((each) => compressedBuffer(each, codec, this.#scratch));
    const bufferBytes = buffers.map(({ byteLength }) => byteLength);
    return { nodes, bufferBytes, buffers };
  }
}

interface GatheredBody {
  readonly nodes: readonly GatheredNode[];
  readonly bufferBytes: readonly number[];
  /** Not written yet. */
  readonly buffers: readonly GatheredBuffer[];
}

/** Each buffer aligned behind the one before, and nothing of what the memory held before between them. */
function writeBody(buffers: readonly GatheredBuffer[], target: Uint8Array, from: number): void {
  let start = from;
  for (const { byteLength, write } of buffers) {
    write(target.subarray(start, start + byteLength));
    target.fill(0, start + byteLength, start + aligned(byteLength));
    start += aligned(byteLength);
  }
}
