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
import type { GatheredNode } from './column-gather.ts';

/** Buffers begin at multiples of this, in the body and in the message, which lets readers use vector instructions. */
const alignment = 64;
const continuation = 0xffffffff;
const prefixBytes = 8;

export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** What a record batch message says of its body. */
export interface BatchMessage {
  readonly rowCount: number;
  readonly nodes: readonly GatheredNode[];
  /** Bytes of each buffer as it lies in the body, where each begins aligned, right behind the one before. */
  readonly bufferBytes: readonly number[];
  readonly codec: CompressionType | null;
  readonly metadata: ReadonlyMap<string, string>;
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
