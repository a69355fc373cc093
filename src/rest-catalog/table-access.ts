import { randomUUID } from 'node:crypto';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { type Location, parseLocation, printLocation } from '../storage/location.ts';
import { locationProperties } from '../tables/metadata-locations.ts';
import type { AccessDelegation } from './access-delegation.ts';
import type { RemoteSigning } from './remote-signing.ts';
import { endpointProperties } from './s3-endpoint.ts';
import type { StorageAccess } from './storage-credential.ts';
import type { StorageCredentials } from './storage-credentials.ts';

/** Who is to reach the files of a table, and how. */
export interface AccessRequest {
  /** The caller's subject. */
  readonly subject: string;
  /** What the caller may do with the table. */
  readonly access: StorageAccess;
  /** What the client asked for; nothing is given that was not. */
  readonly delegation: ReadonlySet<AccessDelegation>;
  /** The path, below the catalog's own, at which requests for this table's files are signed. */
  readonly signPath: string;
}

/** What a client gets to reach a table's files (REST specification: `LoadTableResult`). Secret, unless both are empty. */
export interface TableAccess {
  readonly config: Readonly<Record<string, string>>;
  readonly storageCredentials: readonly PrefixedConfig[];
}

/** A `StorageCredential` of the REST specification. */
export interface PrefixedConfig {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

const none: TableAccess = { config: {}, storageCredentials: [] };

/** How clients reach the files of tables without keys of their own: by static keys of scoped identities, else by signatures of this server. */
export class TableAccesses {
  /**
   * Stands in entity tags of answers that hold credentials, which themselves must not: they are read when the server starts, so
   * no client goes on with those of an earlier start.
   */
  readonly generation: string = randomUUID();
  readonly #credentials: StorageCredentials;
  readonly #signing: RemoteSigning;

  constructor(credentials: StorageCredentials, signing: RemoteSigning) {
    this.#credentials = credentials;
    this.#signing = signing;
  }

  /** Credentials where the client takes them and there are some for the table's location, else signing where it takes that. */
  of(metadata: TableMetadata, request: AccessRequest): TableAccess {
    if (request.delegation.has('vended-credentials')) {
      const storageCredentials = this.credentials(metadata, request);
      const first = storageCredentials[0];
      // Clients from before `storage-credentials` look for the same in `config`.
      if (first !== undefined) return { config: first.config, storageCredentials };
    }
    if (request.delegation.has('remote-signing') && isRemote(metadata.location)) {
      return { config: this.#signing.config(metadata, request), storageCredentials: [] };
    }
    return none;
  }

  /** Those for the table's location, which is first, and for other places that writers are told to put files at. Secret. */
  credentials(
    metadata: TableMetadata,
    { access, subject }: Pick<AccessRequest, 'access' | 'subject'>,
  ): readonly PrefixedConfig[] {
    const places = [metadata.location, ...locationProperties.flatMap((property) => metadata.properties[property] ?? [])];
    const given = new Map<string, PrefixedConfig>();
    for (const place of places) {
      const location = locationOf(place);
      if (location === null) continue;
      const credential = this.#credentials.find(location, access, subject);
      if (credential === null) {
        if (given.size === 0) return [];
        continue;
      }
      // Clients compare it with locations as text.
      const prefix = inSchemeOf(place, credential.prefix);
      const endpoint = credential.endpoint === null ? this.#signing.clientEndpoint : null;
      const config = { ...(endpoint === null ? {} : endpointProperties(endpoint)), ...credential.config() };
      given.set(prefix, { prefix, config });
    }
    return [...given.values()];
  }
}

function isRemote(location: string): boolean {
  return locationOf(location)?.scheme === 's3';
}

/** Null for what other engines wrote and this server does not understand. */
function locationOf(text: string): Location | null {
  try {
    return parseLocation(text);
  } catch {
    return null;
  }
}

function inSchemeOf(place: string, prefix: Location): string {
  return printLocation(prefix)
    .replace(/^s3:/, `${place.slice(0, place.indexOf(':'))}:`)
    .replace(/\/$/, '');
}
