import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { IcecoreError } from '../errors.ts';

/** A request's body on disk, with its digest. */
export class SpooledBody {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly #path: string;

  private constructor(path: string, sha256: string) {
    this.#path = path;
    this.sha256 = sha256;
  }

  /** Reads all of it. Throws OVERLOADED where it is longer than `bytesMax`, and leaves nothing behind then. */
  static async take(body: AsyncIterable<Uint8Array>, directory: string, bytesMax: number): Promise<SpooledBody> {
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${randomUUID()}.body`);
    const hash = createHash('sha256');
    async function* hashed(): AsyncGenerator<Uint8Array> {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) {
          throw new IcecoreError(
            'OVERLOADED',
            `The body has more than the ${bytesMax} bytes that are taken at a time: send it in parts.`,
          );
        }
        hash.update(chunk);
        yield chunk;
      }
    }
    try {
      await pipeline(hashed(), createWriteStream(path));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return new SpooledBody(path, hash.digest('hex'));
  }

  bytes(): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path);
  }

  async remove(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}
