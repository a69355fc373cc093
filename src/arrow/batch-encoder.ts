import type { Data, Schema } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { aligned, bodyBytes, endOfStream, messageHead } from './batch-message.ts';
import { type BatchCompression, codecOf, compressBuffer } from './buffer-compression.ts';
import { BatchGather, type GatheredBuffer } from './column-gather.ts';
import { IpcWriter } from './ipc.ts';
import { MessageMemory } from './message-memory.ts';
import type { RowPick } from './row-pick.ts';
import { ScratchMemory } from './scratch-memory.ts';

/** Of messages that were given back: one or two are made ahead. */
const recycledBytesMax = 64 * 1024 * 1024;

/**
 * Gathers rows of blocks straight into the messages of an Arrow IPC stream (format: "IPC Streaming Format"). Bytes depend on what is given
 * alone: the same rows of the same blocks give the same message again. Holds scratch memory in proportion to its largest batch.
 */
export class BatchEncoder {
  readonly #schema: Schema;
  readonly #compression: BatchCompression;
  readonly #scratch = new ScratchMemory();
  readonly #memory = new MessageMemory(recycledBytesMax);

  constructor(schema: Schema, compression: BatchCompression) {
    this.#schema = schema;
    this.#compression = compression;
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
    const picked = picks.reduce((sum, { count }) => sum + count, 0);
    if (picked !== rowCount) throw new IcecoreError('INTERNAL', `${picked} rows were picked for a batch of ${rowCount}.`);
    this.#scratch.reset();
    const gather = new BatchGather(this.#scratch);
    for (const [index, { type }] of this.#schema.fields.entries()) {
      const sources = blocks.map((columns) => columns[index]);
      gather.column(type, sources, picks, rowCount);
    }
    const { nodes, buffers } = gather;
    const codec = codecOf(this.#compression);
    const parts = codec === null ? null : buffers.map((buffer) => compressBuffer(this.#written(buffer), codec));
    const bufferBytes = parts === null ? buffers.map(({ byteLength }) => byteLength) : parts.map(bytesOfParts);
    const head = messageHead({ rowCount, nodes, bufferBytes, codec, metadata });
    const message = this.#memory.take(head.length + bodyBytes(bufferBytes));
    message.set(head);
    let start = head.length;
    for (const [index, bytes] of bufferBytes.entries()) {
      const target = message.subarray(start, start + bytes);
      if (parts === null) buffers[index]?.write(target);
      else joinParts(parts[index] ?? [], target);
      message.fill(0, start + bytes, start + aligned(bytes));
      start += aligned(bytes);
    }
    return message;
  }

  /** Takes back the memory of a message that is not used any more, for one to come: new memory costs as much as what is written to it. */
  recycle(memory: ArrayBufferLike): void {
    this.#memory.give(memory);
  }

  #written({ byteLength, write }: GatheredBuffer): Uint8Array {
    const bytes = this.#scratch.bytes(byteLength);
    write(bytes);
    return bytes;
  }
}

function bytesOfParts(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function joinParts(parts: readonly Uint8Array[], target: Uint8Array): void {
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
}
