import { constants, zstdCompressSync } from 'node:zlib';
import { CompressionType } from 'apache-arrow/fb/compression-type';
import type { GatheredBuffer } from './column-gather.ts';
import { compressLz4Frame, lz4FrameBytesMax } from './lz4-frame.ts';
import type { ScratchMemory } from './scratch-memory.ts';

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
 * A buffer as it lies in a compressed body: its length as 64 bits, then what it compresses to; a length of -1 and the bytes themselves where
 * that is no shorter. An empty buffer stays empty. Throws what writing the buffer throws.
 */
export function compressedBuffer(buffer: GatheredBuffer, codec: CompressionType, scratch: ScratchMemory): GatheredBuffer {
  const { byteLength } = buffer;
  if (byteLength === 0) return buffer;
  const packed = scratch.temporarily(() => {
    const bytes = scratch.bytes(byteLength);
    buffer.write(bytes);
    if (codec === CompressionType.ZSTD) return zstd(bytes);
    const frame = scratch.bytes(lz4FrameBytesMax(byteLength));
    return frame.slice(0, compressLz4Frame(bytes, frame));
  });
  if (packed.length >= byteLength) {
    const write = (target: Uint8Array) => {
      writeLength(target, -1);
      // Once more, rather than to hold it until all others are compressed.
      buffer.write(target.subarray(lengthBytes));
    };
    return { byteLength: lengthBytes + byteLength, write };
  }
  const write = (target: Uint8Array) => {
    writeLength(target, byteLength);
    target.set(packed, lengthBytes);
  };
  return { byteLength: lengthBytes + packed.length, write };
}

function zstd(bytes: Uint8Array): Uint8Array {
  // One chunk for all that the longest outcome takes: the default is 16 KiB at a time, copied together in the end.
  return zstdCompressSync(bytes, { params: level, chunkSize: Math.max(1024, bytes.length + (bytes.length >> 7) + 512) });
}

function writeLength(target: Uint8Array, length: number): void {
  new DataView(target.buffer, target.byteOffset).setBigInt64(0, BigInt(length), true);
}
