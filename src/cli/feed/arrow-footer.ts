import { messageHead, prefixBytes } from './arrow-message.ts';

/** Where a message lies in a file. */
export interface Block {
  readonly offset: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
}

export const arrowMagic = Buffer.from('ARROW1');
const [footerAt, dictionariesAt, blockBytes] = [16, 36, 24];
/** MetadataVersion.V5. */
const version = 4;

/**
 * What ends an Arrow IPC file (format: "IPC File Format"): the footer, its length and the magic. The footer is a FlatBuffer that
 * holds the schema's message as it came: offsets in a FlatBuffer are relative, so a table may be taken along with its buffer.
 */
export function arrowFooter(schemaHead: Uint8Array, dictionaries: readonly Block[], batches: readonly Block[]): Uint8Array {
  const batchesAt = dictionariesAt + 4 + blockBytes * dictionaries.length + 4;
  const messageAt = batchesAt + 4 + blockBytes * batches.length;
  const schema = schemaHead.subarray(prefixBytes);
  const length = messageAt + schema.byteLength;
  const bytes = Buffer.alloc(length + 4 + arrowMagic.byteLength);
  bytes.writeUInt32LE(footerAt, 0);
  // The table's fields, by what they are from its beginning: version, schema, dictionaries, batches.
  for (const [index, value] of [12, 20, 4, 8, 12, 16].entries()) bytes.writeUInt16LE(value, 4 + 2 * index);
  bytes.writeInt32LE(footerAt - 4, footerAt);
  bytes.writeInt16LE(version, footerAt + 4);
  const schemaAt = messageAt + messageHead(schemaHead).table.position;
  for (const [index, target] of [schemaAt, dictionariesAt, batchesAt].entries()) {
    const at = footerAt + 8 + 4 * index;
    bytes.writeUInt32LE(target - at, at);
  }
  writeBlocks(bytes, dictionariesAt, dictionaries);
  writeBlocks(bytes, batchesAt, batches);
  bytes.set(schema, messageAt);
  bytes.writeInt32LE(length, length);
  bytes.set(arrowMagic, length + 4);
  return bytes;
}

/** A vector of structs of 24 bytes: eight bytes for the offset, four for the head, four empty, eight for the body. */
function writeBlocks(bytes: Buffer, vector: number, blocks: readonly Block[]): void {
  bytes.writeUInt32LE(blocks.length, vector);
  for (const [index, { offset, headBytes, bodyBytes }] of blocks.entries()) {
    const at = vector + 4 + blockBytes * index;
    bytes.writeBigInt64LE(BigInt(offset), at);
    bytes.writeInt32LE(headBytes, at + 8);
    bytes.writeBigInt64LE(BigInt(bodyBytes), at + 16);
  }
}
