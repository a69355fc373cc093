import { randomBytes } from 'node:crypto';
import { constants, deflateRawSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { IcecoreError } from '../errors.ts';
import { avroBlockBytesMax, avroBlockBytesTarget, avroFileBytesMax } from '../limits.ts';
import { AvroCursor, damaged } from './avro-cursor.ts';
import type { AvroSchema } from './avro-schema.ts';
import { checkedAvroSchema } from './avro-schema-check.ts';
import { compileAvroWriter } from './avro-writer.ts';

const magic = Buffer.from([0x4f, 0x62, 0x6a, 1]);
const syncBytes = 16;

export interface AvroBlock {
  readonly count: number;
  /** The records of the block, decompressed. */
  readonly bytes: Uint8Array;
}

export interface AvroContainer {
  readonly schema: AvroSchema;
  /** The same as it was written: files of one writer have the same. */
  readonly schemaText: string;
  /** The file's key-value metadata, without Avro's own `avro.*`. */
  readonly metadata: ReadonlyMap<string, string>;
  blocks(): Generator<AvroBlock>;
}

/** Opens an Avro object container file that lies in memory (Avro spec: "Object Container Files"). Throws FAILED_PRECONDITION. */
export function openAvroContainer(file: Uint8Array): AvroContainer {
  if (file.byteLength > avroFileBytesMax) throw damaged(`its ${file.byteLength} bytes exceed the limit of ${avroFileBytesMax}`);
  const cursor = new AvroCursor(file);
  if (cursor.bytesLeft < 4 || !magic.equals(cursor.readFixed(4))) throw damaged('it does not begin with Obj1');
  const header = readHeader(cursor);
  const codec = header.get('avro.codec') ?? 'null';
  const sync = Buffer.from(cursor.readFixed(syncBytes));
  const schemaText = header.get('avro.schema') ?? '';
  return {
    schema: parseSchema(schemaText),
    schemaText,
    metadata: new Map([...header].filter(([key]) => !key.startsWith('avro.'))),
    *blocks() {
      while (!cursor.atEnd) {
        const count = cursor.readInt();
        const packed = cursor.readBytes();
        if (!sync.equals(cursor.readFixed(syncBytes))) throw damaged('a block does not end with the sync marker');
        const bytes = unpack(codec, packed);
        if (count < 0 || count > bytes.byteLength)
          throw damaged(`a block of ${bytes.byteLength} bytes says it holds ${count} records`);
        yield { count, bytes };
      }
    },
  };
}

function readHeader(cursor: AvroCursor): Map<string, string> {
  const header = new Map<string, string>();
  for (let count = cursor.readItemCount(); count > 0; count = cursor.readItemCount()) {
    for (let index = 0; index < count; index++) {
      const key = cursor.readString();
      header.set(key, cursor.readString());
    }
  }
  return header;
}

function parseSchema(text: string): AvroSchema {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw new IcecoreError('FAILED_PRECONDITION', 'The Avro file is damaged: its schema is no JSON.', { cause });
  }
  return checkedAvroSchema(schema);
}

function unpack(codec: string, packed: Uint8Array): Uint8Array {
  // Most blocks inflate into one piece, which need not be joined to others.
  const options = { maxOutputLength: avroBlockBytesMax, chunkSize: avroBlockBytesTarget + 16 * 1024 };
  try {
    if (codec === 'null') return packed;
    if (codec === 'deflate') return inflateRawSync(packed, options);
    if (codec === 'zstandard') return zstdDecompressSync(packed, options);
  } catch (cause) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The Avro file is damaged: a block does not decompress (${codec}), or to more than ${avroBlockBytesMax} bytes.`,
      { cause },
    );
  }
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The Avro file is compressed with ${codec}. Icecore reads null, deflate and zstandard; set the table's property ` +
      `write.avro.compression-codec to gzip or zstd and rewrite its manifests.`,
  );
}

/** The bytes of an Avro object container file, deflated. The schema's Iceberg attributes are kept in its header. */
export function writeAvroContainer(
  schema: AvroSchema,
  metadata: ReadonlyMap<string, string>,
  records: Iterable<unknown>,
): Uint8Array {
  const encode = compileAvroWriter(schema);
  const sync = randomBytes(syncBytes);
  const entries = [['avro.schema', JSON.stringify(schema)], ['avro.codec', 'deflate'], ...metadata] as const;
  const parts: Uint8Array[] = [magic, avroLong(entries.length)];
  for (const [key, value] of entries) parts.push(...avroText(key), ...avroText(value));
  parts.push(avroLong(0), sync);
  let block: Uint8Array[] = [];
  let blockBytes = 0;
  const flush = () => {
    const packed = deflateRawSync(Buffer.concat(block, blockBytes), { level: constants.Z_BEST_SPEED });
    parts.push(avroLong(block.length), avroLong(packed.byteLength), packed, sync);
    block = [];
    blockBytes = 0;
  };
  for (const record of records) {
    const bytes = encode(record);
    block.push(bytes);
    blockBytes += bytes.byteLength;
    if (blockBytes >= avroBlockBytesTarget) flush();
  }
  if (block.length > 0) flush();
  return Buffer.concat(parts);
}

function avroText(text: string): [Uint8Array, Uint8Array] {
  const bytes = Buffer.from(text, 'utf8');
  return [avroLong(bytes.byteLength), bytes];
}

function avroLong(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt(value) << 1n;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}
