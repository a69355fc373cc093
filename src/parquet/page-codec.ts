import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { parquetPageBytesMax, parquetPageKeptBytesMax } from '../limits.ts';
import type { Codec } from './format.ts';
import { inflateLz4 } from './lz4.ts';
import { PageMemory } from './page-memory.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { inflateSnappy } from './snappy.ts';
import { ZstdInflater } from './zstd-inflater.ts';

export function isReadableCodec(codec: Codec): boolean {
  return codec !== 'LZO' && codec !== 'LZ4';
}

const memory = new PageMemory();
const zstd = new ZstdInflater();

/**
 * The `size` bytes that a page's compressed bytes stand for, until the next call: it takes the same memory. Throws FAILED_PRECONDITION
 * where they are others, or too many.
 */
export function inflatePage(codec: Codec, source: Uint8Array, size: number): Uint8Array {
  if (size > parquetPageBytesMax) throw unsupported(`A page of more than ${parquetPageBytesMax} bytes`);
  if (codec === 'UNCOMPRESSED') return sized(source, size);
  if (size === 0) return new Uint8Array();
  switch (codec) {
    case 'SNAPPY':
      return inflateSnappy(source, size, memory);
    case 'LZ4_RAW':
      return inflateLz4(source, size, memory);
    case 'LZ4':
      throw unsupported('The codec LZ4 in the framing of Hadoop');
    case 'LZO':
      throw unsupported('The codec LZO');
    case 'ZSTD':
      return inflateZstd(source, size);
    default:
      return sized(inflateNative(codec, source, size), size);
  }
}

/** A size is believed as far as the memory for it is kept anyway. */
function inflateZstd(source: Uint8Array, size: number): Uint8Array {
  if (size < parquetPageKeptBytesMax) {
    const target = memory.room(size + 1);
    if (zstd.inflate(source, target, size)) return target.subarray(0, size);
  }
  return sized(inflateNative('ZSTD', source, size), size);
}

/**
 * One chunk of the size that is expected saves a copy, and with a byte more no second one is made; a size that so few bytes hardly stand
 * for is not believed beforehand.
 */
function inflateNative(codec: 'GZIP' | 'BROTLI' | 'ZSTD', source: Uint8Array, size: number): Uint8Array {
  const chunkSize = Math.max(64, Math.min(size, 65_536 + source.length * 64) + 1);
  const options = { chunkSize, maxOutputLength: size };
  try {
    const inflate = { ZSTD: zstdDecompressSync, GZIP: gunzipSync, BROTLI: brotliDecompressSync }[codec];
    const { buffer, byteOffset, byteLength } = inflate(source, options);
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (cause) {
    throw damaged(`a page does not inflate (${codec}: ${cause instanceof Error ? cause.message : String(cause)})`);
  }
}

function sized(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length !== size) throw damaged('a page is not of the size that its header says');
  return bytes;
}
