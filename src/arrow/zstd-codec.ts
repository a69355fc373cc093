import { zstdDecompressSync } from 'node:zlib';
import { CompressionType, compressionRegistry } from 'apache-arrow';
import { arrowMessageBytesMax } from '../limits.ts';

/** Lets arrow-js read buffers compressed with zstd (format: "Buffer Compression"); it brings no codec itself. */
export function registerZstd(): void {
  if (compressionRegistry.get(CompressionType.ZSTD) !== null) return;
  compressionRegistry.set(CompressionType.ZSTD, {
    decode: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes, { maxOutputLength: arrowMessageBytesMax })),
  });
}
