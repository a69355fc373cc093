import { gunzipSync } from 'node:zlib';
import type { ViewMetadata } from '../iceberg/view.ts';
import { parseViewMetadata, printViewMetadata } from '../iceberg/view-json.ts';
import { viewMetadataBytesMax, viewMetadataCacheBytesMax } from '../limits.ts';
import type { Storage } from '../storage/storage.ts';
import { ByteLru } from '../tables/byte-lru.ts';
import { nextMetadataLocation } from '../tables/table-location.ts';

/** Metadata files of views: written once, never changed, and so kept while there is room. */
export class ViewFiles {
  readonly #storage: Storage;
  readonly #known = new ByteLru<ViewMetadata>(viewMetadataCacheBytesMax);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Throws NOT_FOUND where the file is gone, FAILED_PRECONDITION where it is broken, FORBIDDEN outside the allowed locations. */
  async read(location: string): Promise<ViewMetadata> {
    const known = this.#known.get(location);
    if (known !== undefined) return known;
    const bytes = await this.#storage.read(location);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const plain = isGzip ? gunzipSync(bytes, { maxOutputLength: viewMetadataBytesMax }) : bytes;
    const metadata = parseViewMetadata(new TextDecoder().decode(plain), location);
    this.#known.set(location, metadata, plain.byteLength);
    return metadata;
  }

  /** Writes what follows the file `previous`, and gives its location. Durable when it resolves. */
  async write(metadata: ViewMetadata, previous: string | null): Promise<string> {
    const location = nextMetadataLocation(metadata.location, previous, metadata.properties);
    const bytes = new TextEncoder().encode(printViewMetadata(metadata));
    await this.#storage.write(location, bytes, { ifAbsent: true });
    this.#known.set(location, metadata, bytes.byteLength);
    return location;
  }

  /** Takes a file back that no pointer names. What cannot be removed now is an orphan; the error at hand matters more. */
  async remove(location: string): Promise<void> {
    this.#known.delete(location);
    await this.#storage.remove([location]).catch(() => undefined);
  }
}
