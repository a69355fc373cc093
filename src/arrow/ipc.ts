import { RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow';

/** arrow-js pushes into a queue without a bound; this keeps what one call writes, and hands it out at once. */
class MessageWriter extends RecordBatchStreamWriter {
  #parts: Uint8Array[] = [];

  protected override _write(chunk: ArrayBufferView): this {
    this.#parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    return this;
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    return bytes;
  }
}

/**
 * Writes an Arrow IPC stream message by message, each as bytes of its own (format: "IPC Streaming Format"). Nothing is buffered:
 * what is not sent is not asked for. The order is `schema`, any number of `batch`, `end`.
 */
export class IpcWriter {
  readonly #writer = new MessageWriter();
  readonly #schema: Schema;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  schema(): Uint8Array {
    this.#writer.reset(undefined, this.#schema);
    return this.#writer.take();
  }

  /** `metadata` is the message's own, such as `icecore.cursor`. */
  batch(batch: RecordBatch, metadata: ReadonlyMap<string, string> = new Map()): Uint8Array {
    this.#writer.write(new RecordBatch(this.#schema, batch.data, new Map(metadata)));
    return this.#writer.take();
  }

  end(): Uint8Array {
    this.#writer.finish();
    return this.#writer.take();
  }
}

/** A whole stream with one batch. */
export function oneBatchStream(batch: RecordBatch, metadata?: ReadonlyMap<string, string>): Uint8Array {
  const writer = new IpcWriter(batch.schema);
  return Buffer.concat([writer.schema(), writer.batch(batch, metadata), writer.end()]);
}
