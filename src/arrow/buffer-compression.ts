import { constants, zstdCompressSync } from 'node:zlib';
import { CompressionType } from 'apache-arrow/fb/compression-type';
import lz4 from 'lz4-napi';

/** How the buffers of a batch are compressed, each by itself: LZ4 in frames, ZSTD at its fastest level (format: "Buffer Compression"). */
export type BatchCompression = 'NONE' | 'LZ4' | 'ZSTD';

/** The number of a compression in a message; null for none. */
export function codecOf(compression: BatchCompression): CompressionType | null {
  switch (compression) {
    case 'NONE':
      return null;
    case 'LZ4':
      return CompressionType.LZ4_FRAME;
    case 'ZSTD':
      return CompressionType.ZSTD;
  }
}

const lengthBytes = 8;
const level = { [constants.ZSTD_c_compressionLevel]: 1 };

/**
 * The bytes of a buffer in a compressed body: its length as 64 bits, then what it compresses to; a length of -1 and the bytes themselves
 * where that is no shorter. An empty buffer stays empty. The parts lie one behind the other, and may be those of `bytes`.
 */
export function compressBuffer(bytes: Uint8Array, codec: CompressionType): readonly Uint8Array[] {
  if (bytes.length === 0) return [];
  const packed = codec === CompressionType.ZSTD ? zstd(bytes) : lz4.compressFrameSync(bufferOf(bytes));
  if (packed.length >= bytes.length) return [lengthPrefix(-1), bytes];
  return [lengthPrefix(bytes.length), packed];
}

function zstd(bytes: Uint8Array): Uint8Array {
  // One chunk for all that the longest outcome takes: the default is 16 KiB at a time, copied together in the end.
  return zstdCompressSync(bytes, { params: level, chunkSize: Math.max(1024, bytes.length + (bytes.length >> 7) + 512) });
}

function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(lengthBytes);
  new DataView(prefix.buffer).setBigInt64(0, BigInt(length), true);
  return prefix;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
