import type { FileHandle } from 'node:fs/promises';

/** Writes parts one behind the other, all of each, and gives where they end. */
export async function writeParts(handle: FileHandle, parts: readonly Uint8Array[], from: number): Promise<number> {
  let at = from;
  for (const part of parts) {
    for (let done = 0; done < part.byteLength; ) {
      const { bytesWritten } = await handle.write(part, done, part.byteLength - done, at);
      done += bytesWritten;
      at += bytesWritten;
    }
  }
  return at;
}
