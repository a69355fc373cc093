import type { Clock } from '../clock.ts';
import type { AllowedLocations } from '../storage/allowed-locations.ts';
import { s3KeysFrom } from '../storage/s3-client.ts';
import { RemoteSigning } from './remote-signing.ts';
import { ownS3Endpoint, s3Endpoint } from './s3-endpoint.ts';
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
  const endpoint = setting.clientS3Endpoint ?? null;
  const region = setting.clientS3Region ?? null;
  const isSaid = endpoint !== null || region !== null;
  const signing = new RemoteSigning({
    credentials,
    ownEndpoint: ownS3Endpoint(environment),
    clientEndpoint: isSaid ? s3Endpoint({ endpoint, region, pathStyle: null }, 'ICECORE_CLIENT_S3_ENDPOINT') : null,
    ownKeys,
    clock,
  });
  return new TableAccesses({ credentials, signing, locations });
}
