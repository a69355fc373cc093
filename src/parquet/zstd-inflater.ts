import { constants, createZstdDecompress, type ZstdDecompress } from 'node:zlib';

/** What Node's own zlib drives behind each of its streams; no public function inflates into memory that the caller has. */
interface ZstdHandle {
  writeSync(flush: number, source: Uint8Array, at: number, length: number, target: Uint8Array, to: number, room: number): void;
}

/**
 * Inflates Zstandard frames one after the other with one native context, into memory that is used again. `zstdDecompressSync` makes a
 * context, a stream and fresh memory for each, which takes as long again as the inflating of a page of 160 kB does. It stays the way for
 * all that is not as expected, and for a Node whose streams are made otherwise: then this inflates nothing.
 */
export class ZstdInflater {
  #stream: ZstdDecompress | null = null;
  #handle: ZstdHandle | null = null;
  /** What the handle writes after each call: the room that is left, and the bytes of the source that are. */
  #state: Uint32Array = new Uint32Array(2);

  /**
   * Whether `source` was one frame, whole, of exactly `size` bytes, which `target` then begins with. What lies behind them in `target`,
   * a byte at least, may have been written to.
   */
  inflate(source: Uint8Array, target: Uint8Array, size: number): boolean {
    const handle = this.#open();
    if (handle === null || target.length <= size) return false;
    const state = this.#state;
    state.fill(-1);
    // With room for a byte more, a frame of more bytes shows; and the native code inflates at once, without a window of its own.
    handle.writeSync(constants.ZSTD_e_end, source, 0, source.length, target, 0, size + 1);
    if (state[0] === 1 && state[1] === 0) return true;
    this.#close();
    return false;
  }

  #open(): ZstdHandle | null {
    if (this.#handle !== null) return this.#handle;
    const stream = createZstdDecompress();
    // A frame that is damaged: whoever inflates it the other way has the error.
    stream.on('error', () => undefined);
    const { _handle: handle, _writeState: state } = stream as unknown as { _handle: unknown; _writeState: unknown };
    if (!isHandle(handle) || !(state instanceof Uint32Array)) {
      stream.destroy();
      return null;
    }
    [this.#stream, this.#handle, this.#state] = [stream, handle, state];
    return handle;
  }

  /** In the middle of a frame nothing else can begin. */
  #close(): void {
    this.#stream?.destroy();
    [this.#stream, this.#handle] = [null, null];
  }
}

function isHandle(handle: unknown): handle is ZstdHandle {
  return typeof handle === 'object' && handle !== null && 'writeSync' in handle && typeof handle.writeSync === 'function';
}
