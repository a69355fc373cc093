import { DictionaryBatch as DictionaryBatchTable } from 'apache-arrow/fb/dictionary-batch';
import type { Field as FieldTable } from 'apache-arrow/fb/field';
import type { KeyValue } from 'apache-arrow/fb/key-value';
import { Message as MessageTable } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { RecordBatch as RecordBatchTable } from 'apache-arrow/fb/record-batch';
import { Schema as SchemaTable } from 'apache-arrow/fb/schema';
import { ByteBuffer, Encoding } from 'flatbuffers';
import { IcecoreError } from '../errors.ts';
import { arrowColumnsMax, arrowMessageBytesMax, typeDepthMax } from '../limits.ts';

function damaged(what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The body is no Arrow IPC stream: ${what}. Write it with an IPC stream writer.`);
}

/**
 * Gives the length of a message's body, after a look at its metadata (format: "Message.fbs"). A flatbuffer's tables may point
 * anywhere, so a few bytes could ask for millions of fields, or for the same one again and again: all counts are held against the
 * bytes that they would take. Throws BAD_USER_INPUT; OVERLOADED where the body is larger than allowed.
 */
export function checkMessage(metadata: Uint8Array): number {
  const message = MessageTable.getRootAsMessage(new ByteBuffer(metadata));
  const check = new MessageCheck(metadata.length, Number(message.bodyLength()));
  check.metadata(message.customMetadataLength(), (index) => message.customMetadata(index));
  const kind = message.headerType();
  if (kind === MessageHeader.Schema) check.schema(message.header(new SchemaTable()));
  else if (kind === MessageHeader.RecordBatch) check.batch(message.header(new RecordBatchTable()));
  else if (kind === MessageHeader.DictionaryBatch) check.batch(message.header(new DictionaryBatchTable())?.data() ?? null);
  else throw damaged('a message is of an unknown kind');
  return check.bodyBytes;
}

class MessageCheck {
  readonly bodyBytes: number;
  /** What honest entries of four bytes and their texts can take, with room for texts that are shared. */
  #entriesLeft: number;
  #textLeft: number;
  #columnsLeft = arrowColumnsMax;

  constructor(metadataBytes: number, bodyBytes: number) {
    this.bodyBytes = bodyBytes;
    this.#entriesLeft = metadataBytes / 4;
    this.#textLeft = metadataBytes * 4;
    if (!(bodyBytes >= 0)) throw damaged('a message has an impossible length');
    if (bodyBytes > arrowMessageBytesMax) {
      throw new IcecoreError(
        'OVERLOADED',
        `A record batch of ${bodyBytes} bytes is larger than the ${arrowMessageBytesMax} allowed. Write smaller batches.`,
      );
    }
  }

  #entries(count: number): number {
    this.#entriesLeft -= count;
    if (this.#entriesLeft < 0) throw damaged('a message counts more than it holds');
    return count;
  }

  #text(text: string | Uint8Array | null): void {
    this.#textLeft -= text?.length ?? 0;
    if (this.#textLeft < 0) throw damaged('a message counts more than it holds');
  }

  metadata(count: number, at: (index: number) => KeyValue | null): void {
    this.#entries(count);
    for (let index = 0; index < count; index++) {
      const pair = at(index);
      this.#text(pair?.key(Encoding.UTF8_BYTES) ?? null);
      this.#text(pair?.value(Encoding.UTF8_BYTES) ?? null);
    }
  }

  schema(schema: SchemaTable | null): void {
    if (schema === null) throw damaged('the schema is missing');
    this.metadata(schema.customMetadataLength(), (index) => schema.customMetadata(index));
    this.#fields(schema.fieldsLength(), (index) => schema.fields(index), 0);
  }

  #fields(count: number, at: (index: number) => FieldTable | null, depth: number): void {
    if (depth > typeDepthMax) throw damaged(`more than ${typeDepthMax} types lie in one another`);
    this.#columnsLeft -= count;
    if (this.#columnsLeft < 0) {
      throw new IcecoreError('BAD_USER_INPUT', `The Arrow schema has more than the ${arrowColumnsMax} columns allowed.`);
    }
    this.#entries(count);
    for (let index = 0; index < count; index++) {
      const field = at(index);
      if (field === null) throw damaged('a field is missing');
      this.#text(field.name(Encoding.UTF8_BYTES));
      this.metadata(field.customMetadataLength(), (entry) => field.customMetadata(entry));
      this.#fields(field.childrenLength(), (child) => field.children(child), depth + 1);
    }
  }

  batch(batch: RecordBatchTable | null): void {
    if (batch === null) throw damaged('a record batch is missing');
    const isCount = (value: bigint | undefined) => value !== undefined && value >= 0n && value < 2n ** 31n;
    if (!isCount(batch.length())) throw damaged('a record batch counts impossible rows');
    for (let index = 0, count = this.#entries(batch.nodesLength()); index < count; index++) {
      const node = batch.nodes(index);
      // Minus one: not counted.
      if (!isCount(node?.length()) || (node?.nullCount() ?? -2n) < -1n) throw damaged('a column counts impossible rows');
    }
    for (let index = 0, count = this.#entries(batch.buffersLength()); index < count; index++) {
      const buffer = batch.buffers(index);
      const [offset, length] = [Number(buffer?.offset() ?? -1), Number(buffer?.length() ?? -1)];
      if (offset < 0 || length < 0 || offset + length > this.bodyBytes) throw damaged('a buffer lies outside its batch');
    }
    for (let index = 0, count = this.#entries(batch.variadicBufferCountsLength()); index < count; index++) {
      if (!isCount(batch.variadicBufferCounts(index) ?? undefined)) throw damaged('a column counts impossible buffers');
      this.#entries(Number(batch.variadicBufferCounts(index)));
    }
  }
}
