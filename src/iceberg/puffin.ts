import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from './json.ts';
import { asArrayOf, asInt, asLong, asObject, asRecordOf, asString, member, optionalMember } from './json-member.ts';

/** `PFA1`: before the blobs, before the footer's payload, and at the end of the file. */
const magic = Uint8Array.of(0x50, 0x46, 0x41, 0x31);

/** A blob of a Puffin file as the footer describes it (Puffin spec: "Blob metadata"). */
export interface PuffinBlob {
  readonly type: string;
  /** The fields it was computed from. */
  readonly fields: readonly number[];
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  /** In the file, in bytes. */
  readonly offset: bigint;
  readonly length: bigint;
  /** `lz4`, `zstd`; null for none. */
  readonly compressionCodec: string | null;
  readonly properties: Readonly<Record<string, string>>;
}

export type NewBlob = Omit<PuffinBlob, 'offset' | 'length' | 'compressionCodec'> & { readonly bytes: Uint8Array };

/** A Puffin file of uncompressed blobs, with where each came to lie, in their order. */
export function writePuffin(
  blobs: readonly NewBlob[],
  properties: Readonly<Record<string, string>>,
): { readonly bytes: Uint8Array; readonly blobs: readonly PuffinBlob[] } {
  const placed: PuffinBlob[] = [];
  let at = magic.length;
  for (const { bytes, ...blob } of blobs) {
    placed.push({ ...blob, offset: BigInt(at), length: BigInt(bytes.byteLength), compressionCodec: null });
    at += bytes.byteLength;
  }
  const payload = Buffer.from(printJson({ blobs: placed.map(blobJson), properties }));
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(payload.byteLength, 0);
  return { bytes: Buffer.concat([magic, ...blobs.map(({ bytes }) => bytes), magic, payload, tail, magic]), blobs: placed };
}

function blobJson({ type, fields, snapshotId, sequenceNumber, offset, length, properties }: PuffinBlob): object {
  return { type, fields, 'snapshot-id': snapshotId, 'sequence-number': sequenceNumber, offset, length, properties };
}

/** What a whole Puffin file holds. Throws FAILED_PRECONDITION, naming the file, where it is none or its footer is compressed. */
export function readPuffin(bytes: Uint8Array, file: string): readonly PuffinBlob[] {
  const refuse = (how: string, cause?: unknown): IcecoreError =>
    new IcecoreError('FAILED_PRECONDITION', `The Puffin file ${file} ${how}.`, { context: { file }, cause });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isMagic = (at: number): boolean => at >= 0 && magic.every((byte, index) => bytes[at + index] === byte);
  const end = bytes.byteLength;
  if (end < 20 || !isMagic(0) || !isMagic(end - 4)) throw refuse('does not begin and end as one');
  if (view.getUint32(end - 8, true) !== 0)
    throw refuse('has a footer that is compressed or of a later version, which is not read');
  const payloadAt = end - 12 - view.getUint32(end - 12, true);
  if (payloadAt < 8 || !isMagic(payloadAt - 4)) throw refuse('has a footer of another length than it says');
  let blobs: readonly PuffinBlob[];
  try {
    const footer = asObject(parseJson(new TextDecoder().decode(bytes.subarray(payloadAt, end - 12))), 'footer');
    blobs = member(footer, 'blobs', asArrayOf(asBlob), 'footer');
  } catch (error) {
    throw refuse('has a footer that cannot be read', error);
  }
  const outside = blobs.find(({ offset, length }) => offset < 4n || length < 0n || offset + length > BigInt(payloadAt - 4));
  if (outside !== undefined) throw refuse(`has a blob of type ${outside.type} that lies outside of it`);
  return blobs;
}

function asBlob(value: unknown, where: string): PuffinBlob {
  const blob = asObject(value, where);
  return {
    type: member(blob, 'type', asString, where),
    fields: member(blob, 'fields', asArrayOf(asInt), where),
    snapshotId: member(blob, 'snapshot-id', asLong, where),
    sequenceNumber: member(blob, 'sequence-number', asLong, where),
    offset: member(blob, 'offset', asLong, where),
    length: member(blob, 'length', asLong, where),
    compressionCodec: optionalMember(blob, 'compression-codec', asString, where) ?? null,
    properties: optionalMember(blob, 'properties', asRecordOf(asString), where) ?? {},
  };
}
