import type { TableMetadata } from '../iceberg/metadata.ts';
import type { AllowedLocations } from '../storage/allowed-locations.ts';
import { type Location, parseLocation, printLocation } from '../storage/location.ts';
import { locationProperties } from '../tables/metadata-locations.ts';
import type { AccessDelegation } from './access-delegation.ts';
import type { RemoteSigning } from './remote-signing.ts';
import { endpointProperties } from './s3-endpoint.ts';
import type { StorageAccess } from './storage-credential.ts';
import type { StorageCredentials } from './storage-credentials.ts';

export interface TableAccessesOptions {
  readonly credentials: StorageCredentials;
  readonly signing: RemoteSigning;
  readonly locations: AllowedLocations;
}

/** Who is to reach the files of a table. */
export interface CredentialHolder {
  /** The caller's subject. */
  readonly subject: string;
  /** What the caller may do with the table. */
  readonly access: StorageAccess;
}

/** The same, and how. */
export interface AccessRequest extends CredentialHolder {
  /** What the client asked for; nothing is given that was not. */
  readonly delegation: ReadonlySet<AccessDelegation>;
  /** The path, below the catalog's own, at which requests for this table's files are signed. */
  readonly signPath: string;
}

/** What a client gets to reach a table's files (REST specification: `LoadTableResult`). Secret where there are credentials. */
export interface TableAccess {
  readonly config: Readonly<Record<string, string>>;
  readonly storageCredentials: readonly PrefixedConfig[];
  /** Differs where the rest does, and holds no secret: it goes into entity tags. */
  readonly tag: string;
}

/** A `StorageCredential` of the REST specification. */
export interface PrefixedConfig {
  readonly prefix: string;
  readonly config: Readonly<Record<string, string>>;
}

export const noAccess: TableAccess = { config: {}, storageCredentials: [], tag: '' };

/** What of a table's metadata says where its files are. */
export type TablePlaces = Pick<TableMetadata, 'location' | 'properties'>;

/** How clients reach the files of tables without keys of their own: by static keys of scoped identities, else by signatures of this server. */
export class TableAccesses {
  /** Whether there is anything to give, for some table: else none has to be looked at. */
  readonly isServed: boolean;
  readonly signing: RemoteSigning;
  readonly #credentials: StorageCredentials;

  constructor({ credentials, signing, locations }: TableAccessesOptions) {
    this.#credentials = credentials;
    this.signing = signing;
    this.isServed = locations.roots.some((root) => root.scheme === 's3');
  }

  /** Credentials where the client takes them and there are some for the table's location, else signing where it takes that. */
  of(table: TablePlaces, request: AccessRequest): TableAccess {
    if (request.delegation.has('vended-credentials')) {
      const found = this.#find(table, request);
      const storageCredentials = found.map(({ given }) => given);
      // Clients from before `storage-credentials` look for the same in `config`.
      const config = storageCredentials[0]?.config ?? {};
      if (found.length > 0) return { config, storageCredentials, tag: found.map(({ id }) => id).join(' ') };
    }
    if (request.delegation.has('remote-signing') && locationOf(table.location)?.scheme === 's3') {
      const config = this.signing.config(table.location, request);
      return { config, storageCredentials: [], tag: `sign ${JSON.stringify(config)}` };
    }
    return noAccess;
  }

  /** Those for the table's location, which is first, and for other places that writers are told to put files at. Secret. */
  credentials(table: TablePlaces, holder: CredentialHolder): readonly PrefixedConfig[] {
    return this.#find(table, holder).map(({ given }) => given);
  }

  #find(
    table: TablePlaces,
    { access, subject }: CredentialHolder,
  ): readonly { readonly id: string; readonly given: PrefixedConfig }[] {
    const places = [table.location, ...locationProperties.flatMap((property) => table.properties[property] ?? [])];
    const found = new Map<string, { readonly id: string; readonly given: PrefixedConfig }>();
    for (const [index, place] of places.entries()) {
      const location = locationOf(place);
      const credential = location === null ? null : this.#credentials.find(location, access, subject);
      if (credential === null && index === 0) return [];
      if (credential === null) continue;
      // Clients compare it with locations as text.
      const prefix = inSchemeOf(place, credential.prefix);
      const endpoint = credential.endpoint === null ? this.signing.clientEndpoint : null;
      const config = { ...(endpoint === null ? {} : endpointProperties(endpoint)), ...credential.config() };
      found.set(prefix, { id: credential.id, given: { prefix, config } });
    }
    return [...found.values()];
  }
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
