import type { Clock } from '../clock.ts';
import type { AllowedLocations } from '../storage/allowed-locations.ts';
import { s3KeysFrom } from '../storage/s3-client.ts';
import { RemoteSigning } from './remote-signing.ts';
import { ownS3Endpoint, type S3Endpoint, s3Endpoint } from './s3-endpoint.ts';
import { StorageCredentials } from './storage-credentials.ts';
import { TableAccesses } from './table-access.ts';

export interface TableAccessesSetting {
  /** ICECORE_STORAGE_CREDENTIALS. */
  readonly storageCredentials: string | undefined;
  readonly clientS3Endpoint: string | undefined;
  readonly clientS3Region: string | undefined;
}

/** As the server is configured. Throws BAD_USER_INPUT and NOT_FOUND, naming the variable. */
export async function openTableAccesses(
  setting: TableAccessesSetting,
  {
    locations,
    clock,
    environment,
  }: { readonly locations: AllowedLocations; readonly clock: Clock; readonly environment: NodeJS.ProcessEnv },
): Promise<TableAccesses> {
  const ownKeys = s3KeysFrom(environment);
  const isVending = setting.storageCredentials !== undefined;
  // A server that has none yet is told so when it needs them.
  const ownKeyId = isVending
    ? await ownKeys().then(
        ({ accessKeyId }) => accessKeyId,
        () => undefined,
      )
    : undefined;
  const credentials = await StorageCredentials.load(setting.storageCredentials, ownKeyId);
  const signing = new RemoteSigning({
    credentials,
    ownEndpoint: ownS3Endpoint(environment),
    clientEndpoint: clientS3Endpoint(setting),
    ownKeys,
    clock,
  });
  return new TableAccesses({ credentials, signing, locations });
}

/** How clients are told to reach the store; null where they are told nothing. Throws BAD_USER_INPUT. */
export function clientS3Endpoint(setting: Pick<TableAccessesSetting, 'clientS3Endpoint' | 'clientS3Region'>): S3Endpoint | null {
  const endpoint = setting.clientS3Endpoint ?? null;
  const region = setting.clientS3Region ?? null;
  if (endpoint === null && region === null) return null;
  return s3Endpoint({ endpoint, region, pathStyle: null }, 'ICECORE_CLIENT_S3_ENDPOINT');
}
