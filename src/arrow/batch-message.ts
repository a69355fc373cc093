import type { Schema } from 'apache-arrow';
import { BodyCompression } from 'apache-arrow/fb/body-compression';
import { BodyCompressionMethod } from 'apache-arrow/fb/body-compression-method';
import { Buffer as BufferTable } from 'apache-arrow/fb/buffer';
import type { CompressionType } from 'apache-arrow/fb/compression-type';
import { FieldNode } from 'apache-arrow/fb/field-node';
import { KeyValue } from 'apache-arrow/fb/key-value';
import { Message } from 'apache-arrow/fb/message';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { MetadataVersion } from 'apache-arrow/fb/metadata-version';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import { Builder } from 'flatbuffers';
import { aligned, partNumbers } from './block-file-part.ts';
import type { GatheredNode } from './column-gather.ts';

const continuation = 0xffffffff;
const prefixBytes = 8;

/** What a record batch message says of its body. */
export interface BatchMessage {
  readonly rowCount: number;
  readonly nodes: readonly GatheredNode[];
  /** Bytes of each buffer as it lies in the body, where each begins aligned, right behind the one before. */
  readonly bufferBytes: readonly number[];
  readonly codec: CompressionType | null;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Buffers of some columns, as they lie in the body of a message. */
export interface EncodedBody {
  readonly nodes: readonly GatheredNode[];
  readonly bufferBytes: readonly number[];
  /** Behind as many bytes as were asked for. */
  readonly bytes: Uint8Array;
}

/** What is enough for the head of a message with this metadata, and keeps what lies behind it aligned. */
export function headBytesMax({ fields }: Schema, metadata: ReadonlyMap<string, string>): number {
  const structs = fields.reduce((sum, { type }) => sum + partNumbers(type), 0);
  const texts = [...metadata].reduce((sum, [key, value]) => sum + 64 + 3 * (key.length + value.length), 0);
  return aligned(512 + 16 * structs + texts);
}

/**
 * The bytes of a message whose columns were encoded in parts, one behind the other: its head goes right before the first of them, where
 * `headBytes` are free for it.
 */
export function messageChunks(
  bodies: readonly EncodedBody[],
  headBytes: number,
  message: Omit<BatchMessage, 'nodes' | 'bufferBytes'>,
): readonly Uint8Array[] {
  const nodes = bodies.flatMap((body) => body.nodes);
  const bufferBytes = bodies.flatMap((body) => body.bufferBytes);
  const head = messageHead({ ...message, nodes, bufferBytes });
  const [first, ...others] = bodies.map(({ bytes }) => bytes);
  if (first === undefined || head.length > headBytes) throw new RangeError(`A head of ${head.length} bytes has ${headBytes}.`);
  first.set(head, headBytes - head.length);
  return [first.subarray(headBytes - head.length), ...others];
}

/** The bytes before the body, as long as keeps it aligned: prefix, flatbuffer, padding (format: "Encapsulated message format"). */
export function messageHead(message: BatchMessage): Uint8Array {
  const table = messageTable(message);
  const head = new Uint8Array(aligned(prefixBytes + table.length));
  const view = new DataView(head.buffer);
  view.setUint32(0, continuation, true);
  view.setInt32(4, head.length - prefixBytes, true);
  head.set(table, prefixBytes);
  return head;
}

/** What marks the end of a stream. */
export function endOfStream(): Uint8Array {
  const end = new Uint8Array(prefixBytes);
  end.fill(0xff, 0, 4);
  return end;
}

export function bodyBytes(bufferBytes: readonly number[]): number {
  return bufferBytes.reduce((sum, bytes) => sum + aligned(bytes), 0);
}

function messageTable({ rowCount, nodes, bufferBytes, codec, metadata }: BatchMessage): Uint8Array {
  const builder = new Builder(1024);
  const pairs = [...metadata].map(([key, value]) =>
    KeyValue.createKeyValue(builder, builder.createString(key), builder.createString(value)),
  );
  const pairsVector = pairs.length === 0 ? null : Message.createCustomMetadataVector(builder, pairs);
  const batch = batchTable(builder, rowCount, nodes, bufferBytes, codec);
  Message.startMessage(builder);
  Message.addVersion(builder, MetadataVersion.V5);
  Message.addHeaderType(builder, MessageHeader.RecordBatch);
  Message.addHeader(builder, batch);
  Message.addBodyLength(builder, BigInt(bodyBytes(bufferBytes)));
  if (pairsVector !== null) Message.addCustomMetadata(builder, pairsVector);
  Message.finishMessageBuffer(builder, Message.endMessage(builder));
  return builder.asUint8Array();
}

function batchTable(
  builder: Builder,
  rowCount: number,
  nodes: readonly GatheredNode[],
  bufferBytes: readonly number[],
  codec: CompressionType | null,
): number {
  // A flatbuffer is built from its end.
  RecordBatch.startNodesVector(builder, nodes.length);
  for (const { length, nullCount } of nodes.toReversed()) {
    FieldNode.createFieldNode(builder, BigInt(length), BigInt(nullCount));
  }
  const nodesVector = builder.endVector();
  RecordBatch.startBuffersVector(builder, bufferBytes.length);
  let end = bodyBytes(bufferBytes);
  for (const bytes of bufferBytes.toReversed()) {
    end -= aligned(bytes);
    BufferTable.createBuffer(builder, BigInt(end), BigInt(bytes));
  }
  const buffersVector = builder.endVector();
  const compression = codec === null ? null : BodyCompression.createBodyCompression(builder, codec, BodyCompressionMethod.BUFFER);
  RecordBatch.startRecordBatch(builder);
  RecordBatch.addLength(builder, BigInt(rowCount));
  RecordBatch.addNodes(builder, nodesVector);
  RecordBatch.addBuffers(builder, buffersVector);
  if (compression !== null) RecordBatch.addCompression(builder, compression);
  return RecordBatch.endRecordBatch(builder);
}
