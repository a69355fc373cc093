/** The bytes of one message, in chunks one behind the other: of several, each lies on memory of its own. */
export type MessageChunks = readonly Uint8Array[];

export function chunksBytes(chunks: MessageChunks): number {
  return chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** From a byte of the message on, to the end of the chunk that it is in; empty behind the last. */
export function restOfChunk(chunks: MessageChunks, from: number): Uint8Array {
  let start = 0;
  for (const chunk of chunks) {
    if (from < start + chunk.byteLength) return chunk.subarray(from - start);
    start += chunk.byteLength;
  }
  return new Uint8Array();
}

/** All of it: the chunk itself where there is but one. */
export function joinedChunks(chunks: MessageChunks): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const joined = Buffer.allocUnsafeSlow(chunksBytes(chunks));
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return new Uint8Array(joined.buffer, 0, at);
}
