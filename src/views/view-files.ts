import { gunzipSync } from 'node:zlib';
import { IcecoreError } from '../errors.ts';
import type { ViewMetadata } from '../iceberg/view.ts';
import { parseViewMetadata, printViewMetadata } from '../iceberg/view-json.ts';
import { viewMetadataBytesMax, viewMetadataCacheBytesMax } from '../limits.ts';
import type { Storage } from '../storage/storage.ts';
import { ByteLru } from '../tables/byte-lru.ts';
import { nextMetadataLocation } from '../tables/table-location.ts';

const metadataFileName = /\.metadata\.json(\.gz)?$/;

/** Metadata files of views: written once, never changed, and so kept while there is room. */
export class ViewFiles {
  readonly #storage: Storage;
  readonly #known = new ByteLru<ViewMetadata>(viewMetadataCacheBytesMax);

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /**
   * The same of a file that a caller names. Throws BAD_USER_INPUT too, where its name is not that of a metadata file: of other
   * files nothing is to be told.
   */
  async readNamed(location: string): Promise<ViewMetadata> {
    if (metadataFileName.test(location)) return await this.read(location);
    throw new IcecoreError('BAD_USER_INPUT', `${location} is no metadata file of a view: those end in .metadata.json.`, {
      context: { location },
    });
  }

  /** Throws NOT_FOUND where the file is gone, FAILED_PRECONDITION where it is broken, FORBIDDEN outside the allowed locations. */
  async read(location: string): Promise<ViewMetadata> {
    const known = this.#known.get(location);
    if (known !== undefined) return known;
    if (((await this.#storage.size(location)) ?? 0) > viewMetadataBytesMax) throw tooLarge(`The file ${location}`);
    const bytes = await this.#storage.read(location);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    const plain = isGzip ? inflated(bytes, location) : bytes;
    const metadata = parseViewMetadata(new TextDecoder().decode(plain), location);
    this.#known.set(location, metadata, plain.byteLength);
    return metadata;
  }

  /** Writes what follows the file `previous`, and gives its location. Durable when it resolves. */
  async write(metadata: ViewMetadata, previous: string | null): Promise<string> {
    const location = nextMetadataLocation(metadata.location, previous, metadata.properties);
    const bytes = new TextEncoder().encode(printViewMetadata(metadata));
    if (bytes.byteLength > viewMetadataBytesMax) throw tooLarge('The metadata of the view');
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

function inflated(bytes: Uint8Array, location: string): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: viewMetadataBytesMax });
  } catch (cause) {
    throw new IcecoreError('FAILED_PRECONDITION', `The view metadata file ${location} cannot be unpacked, or is too large.`, {
      context: { metadataLocation: location },
      cause,
    });
  }
}

function tooLarge(what: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `${what} has more than ${viewMetadataBytesMax} bytes: shorten its queries, or keep fewer versions (version.history.num-entries).`,
  );
}
